"""Re-checks the promise from the topics alone, with arithmetic of its own."""

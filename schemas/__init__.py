"""Messages and rows: what is said on topics and over REST, and what is kept."""

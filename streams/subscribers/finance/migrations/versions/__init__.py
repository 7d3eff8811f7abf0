"""One file a change of Finance's tables."""

"""A whole period at once: batches of adjustments."""

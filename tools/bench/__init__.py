"""Measures the engine beside a peer on the same Kafka, and counts only runs whose books agree."""

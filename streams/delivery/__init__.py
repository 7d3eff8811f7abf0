"""Exactly-once delivery underneath Faust; knows bytes, offsets and partitions only."""

"""Tests of the delivery without Kafka."""

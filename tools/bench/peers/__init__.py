"""What a user would take otherwise, doing the engine's job on the same Kafka."""

"""The workshop: embedded Kafka, `make run`, demo data, measurements."""

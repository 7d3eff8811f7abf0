"""A real Apache Kafka as a child process: no container and no installed Java needed."""

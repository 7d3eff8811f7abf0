"""What can go wrong between REST and Kafka, in one place."""


class KafkaUnreachableError(Exception):
    """Nothing was sent: there is no Kafka to send it to."""


class NotAcknowledgedError(Exception):
    """The request was sent and Kafka did not say in time that it has it: it may, it may not."""


class RequestTooLargeError(Exception):
    """Kafka does not take a record of this size."""


class NotCaughtUpError(Exception):
    """What is kept does not reach the ends of the topics, so an absence proves nothing."""


class ReadModelTakenError(Exception):
    """Another process writes to this read model."""

    def __str__(self) -> str:
        """Say which, and what to do."""
        return (
            f"Another process of REST keeps its read model in {self.args[0]}; each needs its own:"
            " set ADJUST_READ_MODEL_URL."
        )


class ReadModelLostError(Exception):
    """The file of the read model was deleted while it was open."""

    def __str__(self) -> str:
        """Say which, and what becomes of it."""
        return f"{self.args[0]} was deleted; started again, REST reads everything anew"

"""What REST counts of itself, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ANSWER_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 30.0)


class Metrics:
    """The counters of one API process, in a registry of their own."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "adjust_api_answers",
            "Answers given, by method and HTTP status.",
            ["method", "status"],
            registry=self.registry,
        )
        self.answer_s = Histogram(
            "adjust_api_answer_seconds",
            "Seconds from a request's acknowledgement by Kafka to its result.",
            buckets=ANSWER_S,
            registry=self.registry,
        )
        self.acknowledge_s = Histogram(
            "adjust_api_acknowledge_seconds",
            "Seconds from sending a request until Kafka acknowledged it.",
            buckets=ANSWER_S,
            registry=self.registry,
        )
        self.records_read = Counter(
            "adjust_api_records_read",
            "Records read and kept, by topic.",
            ["topic"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "adjust_api_waiting", "Callers that wait for a result now.", registry=self.registry
        )
        self.batch_items = Gauge(
            "adjust_api_batch_items",
            "Items of batches that this process sent and that have no result yet.",
            registry=self.registry,
        )
        self.connected = Gauge(
            "adjust_api_connected",
            "1 while requests can be put on their topic, else 0.",
            registry=self.registry,
        )
        self.lag = Gauge(
            "adjust_api_lag_records",
            "Records on the topics that are not kept yet; NaN while Kafka is away.",
            registry=self.registry,
        )

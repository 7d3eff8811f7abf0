"""What a subscriber tells of itself to Prometheus."""

from collections import Counter as Count

from prometheus_client import CollectorRegistry, Counter, Gauge

from streams.subscribers.images import Batch


class Metrics:
    """The figures of one subscriber."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Begin at zero."""
        self._kept = Counter(
            "adjust_subscriber_images",
            "After-images read, by entity.",
            ["entity"],
            registry=registry,
        )
        self._set_aside = Counter(
            "adjust_subscriber_set_aside",
            "Records that the reader could not read, and that were kept aside.",
            registry=registry,
        )
        self.stopped = Gauge(
            "adjust_subscriber_stopped_partitions",
            "Partitions that are not read any more, since something is missing.",
            registry=registry,
        )
        self.lag = Gauge(
            "adjust_subscriber_lag_records",
            "Records on the topic that are not read yet.",
            registry=registry,
        )

    def count(self, batch: Batch) -> None:
        """Count what was kept."""
        for entity, number in Count(image.entity for image in batch.images).items():
            self._kept.labels(entity).inc(number)
        self._set_aside.inc(len(batch.set_aside))

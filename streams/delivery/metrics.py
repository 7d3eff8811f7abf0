"""What a worker tells Prometheus about its delivery."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as PrometheusCounter

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
TAKE_OVER_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 300)


class Metrics:
    """Counters and gauges of one worker, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> PrometheusCounter:
            return PrometheusCounter(name, text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Sequence[float]) -> Histogram:
            return Histogram(name, text, buckets=buckets, registry=registry)

        self.counters = {
            "request": counter(
                "adjust_requests", "Requests decided, by outcome and first code.", "outcome", "code"
            ),
            "dead_letter": counter(
                "adjust_dead_letters", "Records put aside, by input and code.", "topic", "code"
            ),
            "sent_on": counter(
                "adjust_wrong_partition_records", "Records sent on to their partition.", "topic"
            ),
        }
        self.transaction_seconds = histogram(
            "adjust_transaction_seconds", "From the first decision until rows are written.", SECONDS
        )
        self.transaction_records = histogram(
            "adjust_transaction_records", "Input records that one transaction decided.", RECORDS
        )
        self.take_over_seconds = histogram(
            "adjust_take_over_seconds", "From an assignment until a unit serves.", TAKE_OVER_SECONDS
        )
        self.lag_records = gauge(
            "adjust_lag_records", "Offsets that are not decided yet.", "topic", "partition"
        )
        self.lag_seconds = gauge(
            "adjust_lag_seconds",
            "Age of the oldest record that waits in the worker, else 0.",
            "partition",
        )

    def committed(self, count: int, seconds: float, tally: Counter[tuple[str, ...]]) -> None:
        """A transaction of `count` records was committed."""
        self.transaction_records.observe(count)
        self.transaction_seconds.observe(seconds)
        for (name, *labels), number in tally.items():
            self.counters[name].labels(*labels).inc(number)

    def lag(self, partition: int, lags: dict[str, int], oldest_ms: int | None) -> None:
        """How many offsets of each input are not decided, and how long the oldest queued waits."""
        for topic, count in lags.items():
            self.lag_records.labels(topic, partition).set(max(0, count))
        waits = 0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
        self.lag_seconds.labels(partition).set(waits)

    def forget(self, partition: int, topics: Iterable[str]) -> None:
        """The partition has gone to another worker, which tells of it from now on."""
        with contextlib.suppress(KeyError):
            for topic in topics:
                self.lag_records.remove(topic, partition)
            self.lag_seconds.remove(partition)

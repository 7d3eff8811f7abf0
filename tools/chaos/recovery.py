"""Measures how long the system is not itself: until a request for each partition has its result."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from tools.load import Outgoing, Population, Sender
from tools.verify.log import murmur2
from tools.verify.topics import RESULTS
from tools.waiting import comes_true

READ_MAX, READ_WAIT_S = 500, 0.05
LIMIT_S = 60.0
# Else what is measured after a broker was away is how patient our own client has become.
IMPATIENT = {"reconnect.backoff.max.ms": "500"}


class Result(Protocol):
    """A record as it was read; `confluent_kafka.Message` is one."""

    def error(self) -> KafkaError | None:
        """What came instead of a record."""

    def value(self) -> bytes | None:
        """The result in JSON."""

    def headers(self) -> Any:
        """Names and values."""


class Reader(Protocol):
    """What is asked of a reader of results; `confluent_kafka.Consumer` is one."""

    def assign(self, places: list[TopicPartition], /) -> None:
        """Begin there."""

    def consume(self, num_messages: int, timeout: float) -> Sequence[Result]:
        """Give what came."""

    def close(self) -> None:
        """Let go."""


def watch_of(options: Mapping[str, str], population: Population, partitions: int) -> "Watch":
    """Watch a Kafka that these options lead to."""
    options = {**options, **IMPATIENT}
    consumer = Consumer(
        {
            **options,
            "group.id": "chaos-watch",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    return Watch(Sender({**options, "linger.ms": "0"}), consumer, population, partitions)


class Watch:
    """Reads results as a caller would, and sends a probe for each partition when asked."""

    def __init__(
        self, sender: Sender, reader: Reader, population: Population, partitions: int
    ) -> None:
        self.seen: Counter[str] = Counter()  # results of each sort
        self.failures: list[str] = []  # why it is blind, in sentences
        self._sender, self._reader = sender, reader
        self._places = [TopicPartition(RESULTS, number, 0) for number in range(partitions)]
        self._accounts = _account_of_each(population, partitions)
        self._requests = population.request_records(1 << 62, user="probe")
        self._awaited: set[str] = set()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    @property
    def acknowledged(self) -> list[tuple[str, str]]:
        """The (account, requestId) of each probe that Kafka acknowledged."""
        return list(self._sender.acknowledged)

    def start(self) -> None:
        """Begin to read, from the first result on."""
        self._reader.assign(self._places)
        self._thread.start()

    async def recovered(self, since: float, limit_s: float = LIMIT_S) -> float | None:
        """Seconds from `since` until all probes sent now have results; nothing if they never do."""
        for probe in self._probes():
            self._awaited.add(probe.request_id)
            self._sender.send(probe)
        left_s = since + limit_s - time.monotonic()
        is_recovered = await comes_true(lambda: not self._awaited or self.failures, left_s)
        took = time.monotonic() - since
        is_recovered = is_recovered and not self._awaited
        self._awaited.clear()
        return took if is_recovered else None

    def stop(self) -> None:
        """Read no more."""
        self._is_stopping.set()
        self._thread.join()
        self._reader.close()

    def end_probes(self) -> None:
        """Wait until Kafka has acknowledged all probes."""
        try:
            self._sender.flush()
        except (KafkaException, TimeoutError) as error:
            self.failures.append(f"Probes were not sent: {error}")

    def _probes(self) -> list[Outgoing]:
        """One request for each partition, each for the account that was chosen there."""
        missing = set(self._accounts)
        probes = []
        while missing:
            request = next(self._requests)
            if request.account in missing:
                missing.discard(request.account)
                probes.append(request)
        return probes

    def _run(self) -> None:
        try:
            while not self._is_stopping.is_set():
                self._read()
        except Exception as error:  # noqa: BLE001 - the round is told, and fails
            self.failures.append(f"Results could not be read: {error!r}.")

    def _read(self) -> None:
        for message in self._reader.consume(READ_MAX, READ_WAIT_S):
            if message.error() is None:
                result = json.loads(message.value() or b"")
                self._awaited.discard(result["requestId"])
                self.seen[_sort(message, result)] += 1


def _sort(message: Result, result: dict[str, Any]) -> str:
    """Name what a result is: a repeat, refused, or applied in one of the modes."""
    if ("replay", b"true") in (message.headers() or []):
        return "repeats"
    adjustment = result["adjustment"]
    return f"applied {adjustment['adjustmentMode']}" if adjustment else "refused"


def _account_of_each(population: Population, partitions: int) -> list[str]:
    """Choose an account of each partition. Raises KeyError where the population is too small."""
    found: dict[int, str] = {}
    for outgoing in population.account_records():
        found.setdefault(murmur2(outgoing.account.encode()) % partitions, outgoing.account)
    return [found[number] for number in range(partitions)]

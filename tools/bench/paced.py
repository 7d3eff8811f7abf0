"""Sends requests at a steady rate, and sees when a reader of committed results has each result.

Arrivals are fixed beforehand, and a wait counts from when a request was due to be sent: a stall is
not hidden by requests that were not sent meanwhile.
"""

import gc
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from tools.bench.waits import Wait
from tools.load import Outgoing, Sender
from tools.waiting import wait_until

HEAD_START_S, POLL_S = 0.5, 0.05
ANSWERED_MAX_S = 120.0
AT_ONCE = {"linger.ms": "0"}


class _Result(msgspec.Struct):
    request_id: str | None = msgspec.field(name="requestId", default=None)


class Paced:
    """Two threads, from `with` to `finish`: one sends, one reads one topic of results."""

    def __init__(
        self,
        options: Mapping[str, str],
        results: tuple[str, Mapping[int, int]],
        requests: Iterator[Outgoing],
        per_s: int,
    ) -> None:
        """Read a topic of results from these offsets on, by partition."""
        topic, starts = results
        self._sender = Sender({**options, **AT_ONCE})
        self._reader = _reader(options)
        self._reader.assign([TopicPartition(topic, each, at) for each, at in starts.items()])
        self._requests, self._per_s = requests, per_s
        self._due: dict[str, float] = {}
        self._waits: list[Wait] = []
        self._is_enough, self._is_over = threading.Event(), threading.Event()
        self._threads = ThreadPoolExecutor(2)

    @property
    def acknowledged(self) -> list[tuple[str, str]]:
        """The acknowledged (account, requestId) so far."""
        return list(self._sender.acknowledged)

    def seen_after(self, moment: float) -> list[Wait]:
        """Give those seen so far that were due after this moment, in the order of their results."""
        return [wait for wait in list(self._waits) if wait.due > moment]

    def stop(self) -> list[Wait]:
        """Send no more, and go on as `finish`."""
        self._is_enough.set()
        return self.finish()

    def finish(self) -> list[Wait]:
        """Send all, wait for every result, and give all waits in the order they were due.

        Raises TimeoutError if a result does not come, KafkaException for what Kafka refuses.
        """
        self._sending.result()
        self._sender.flush()
        wait_until(self._is_answered, "every request has a result", ANSWERED_MAX_S)
        self._is_over.set()
        self._reading.result()
        return sorted(self._waits)

    def __enter__(self) -> Self:
        """Begin to read and to send."""
        gc.freeze()  # what was kept for the books is not to be looked through meanwhile
        self._reading = self._threads.submit(self._read)
        self._sending = self._threads.submit(self._send)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, whatever happened."""
        self._is_enough.set()
        self._is_over.set()
        self._threads.shutdown()
        self._reader.close()
        gc.unfreeze()

    def _is_answered(self) -> bool:
        return self._reading.done() or len(self._waits) == len(self._due)

    def _send(self) -> None:
        began = time.monotonic() + HEAD_START_S
        for place, outgoing in enumerate(self._requests):
            due = began + place / self._per_s
            if self._is_enough.wait(max(0.0, due - time.monotonic())):
                return
            self._due[outgoing.request_id] = due
            self._sender.send(outgoing)

    def _read(self) -> None:
        decode = msgspec.json.Decoder(_Result).decode
        while not self._is_over.is_set():
            message = self._reader.poll(POLL_S)
            if message is None:
                continue
            seen = time.monotonic()
            if message.error():
                raise KafkaException(message.error())
            due = self._due.get(decode(message.value() or b"{}").request_id or "")
            if due is not None:
                self._waits.append(Wait(due, seen, message.partition() or 0))


def _reader(options: Mapping[str, str]) -> Consumer:
    return Consumer(
        {
            **options,
            "group.id": "bench-reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )

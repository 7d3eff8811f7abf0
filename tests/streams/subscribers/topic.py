"""A partition of business transactions in memory, written as the engine writes it."""

from dataclasses import replace
from typing import Any

from aiokafka.structs import ConsumerRecord

from schemas.headers import MESSAGE_CODE, SEQ
from streams.subscribers.images import TOPIC, Batch, Progress
from streams.subscribers.sequence import enter
from tests.api.images import image_of

CODES = {
    "account": b"account",
    "chargeable-event": b"chargeableEvent",
    "adjustment": b"adjustment",
}
AT_MS = 1_793_870_000_123  # 2026-11-05


def record(
    value: bytes | None,
    *headers: tuple[str, bytes],
    partition: int = 0,
    offset: int = 0,
    at_ms: int = AT_MS,
) -> Any:
    """Give a record with these headers only."""
    key = b"ACC-1001"
    size = len(value or b"")
    place = (TOPIC, partition, offset)
    return ConsumerRecord(*place, at_ms, 0, key, value, None, len(key), size, headers)


class Partition:
    """Numbers what it publishes; markers of transactions leave offsets out."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.records: list[Any] = []
        self._offset = 0

    def publish(self, kind: str, at_ms: int = AT_MS, **changes: Any) -> Any:
        """Publish an example of a kind, apart from the changes."""
        seq = str(len(self.records) + 1).encode()
        headers = ((MESSAGE_CODE, CODES[kind]), (SEQ, seq))
        return self.append(record(image_of(kind, **changes), *headers, at_ms=at_ms))

    def append(self, made: Any) -> Any:
        """Put a record at the end."""
        placed = replace(made, partition=self.number, offset=self._offset)
        self.records.append(placed)
        self._offset += 1 + len(self.records) % 2
        return placed

    def adjust(
        self, event: str, effect: tuple[int, int, int], number: int = 1, **changes: Any
    ) -> None:
        """Publish an adjustment of an event of ACC-1001, and the event before it."""
        names = ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
        of_event = {name: changes.pop(name) for name in ("glCode", "tax") if name in changes}
        self.publish("chargeable-event", refId=event, **of_event)
        request = f"7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f{number:04d}"
        self.publish(
            "adjustment",
            refId=f"ADJ-ACC-1001-{request}",
            requestId=request,
            chargeableEventRefId=event,
            effect=dict(zip(names, effect, strict=True)),
            **changes,
        )


def batch_of(*records: Any) -> Batch:
    """Give what a reader makes of records."""
    batch = Batch()
    for each in records:
        assert enter(batch, each.partition, Progress(0, None), [each]) is None
    return batch

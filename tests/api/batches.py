"""Batches that the read model knows of, and a Kafka for who runs them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from types import SimpleNamespace
from typing import Any

import msgspec
import sqlalchemy as sql
from aiokafka.errors import KafkaTimeoutError

from api.batches.entries import Definition, Entry, Item, Logged, request_id_of
from api.batches.reports import Batches
from api.batches.runner import Reading, Runner
from api.desk import TOPICS
from api.results import Answer
from api.rows import EventRow, Rows
from api.store import Store
from tests.api.builders import a_result, an_answer
from tests.api.fakes import SettledReader
from tests.api.images import image_of

BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
OTHER_ID = BATCH_ID[::-1]
ADJUSTMENT = {
    "chargeType": "CREDIT",
    "chargeAdjustment": 10_000,
    "currency": "EUR",
    "taxIncluded": True,
}
IN_FLIGHT_MAX = 10
PIECE_MAX = 40  # records


class Piece:
    """Records that are sent together."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(self, *, value: bytes, **_: object) -> object | None:
        """Take a record, unless there are too many."""
        if len(self.values) == PIECE_MAX:
            return None
        self.values.append(value)
        return self

    def record_count(self) -> int:
        """Give how many were taken."""
        return len(self.values)


class Kafka:
    """Takes what is sent; who asks for answers gets them, partition by partition."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.fails_at = -1  # which record is not taken, of the topic of batches
        self.requests: dict[int, list[bytes]] = {number: [] for number in range(3)}
        self.answered: dict[int, int] = {}
        self.under_way: list[tuple[int, int]] = []  # at each sending, and after how many answers
        self._answers = 0

    async def partitions_for(self, _topic: str) -> set[int]:
        """Give the partitions of the requests."""
        return {*self.requests}

    def create_batch(self) -> Piece:
        """Give an empty piece."""
        return Piece()

    async def send_batch(self, piece: Piece, _topic: str, partition: int) -> asyncio.Future[Any]:
        """Put requests on their topic."""
        await asyncio.sleep(0)
        requests = self.requests[partition]
        offset = len(requests)
        requests += piece.values
        self.under_way.append((sum(map(self._left, self.requests)), self._answers))
        return _done(SimpleNamespace(offset=offset))

    def answer(self) -> list[bytes]:
        """Answer some requests of the partition that has most left; give them."""
        partition = max(self.requests, key=self._left)
        assert self._left(partition), "somebody waits for ever"
        first = self.answered.get(partition, -1) + 1
        requests = self.requests[partition][first : first + PIECE_MAX]
        self.answered[partition] = first + len(requests) - 1
        self._answers += 1
        return requests

    def _left(self, partition: int) -> int:
        return len(self.requests[partition]) - 1 - self.answered.get(partition, -1)

    async def send(self, topic: str, value: bytes, key: bytes) -> asyncio.Future[None]:
        """Put a record there."""
        assert topic == TOPICS.batches
        self.sent.append((key.decode(), value))
        sent = _done(None)
        if len(self.sent) - 1 == self.fails_at:
            sent = asyncio.get_running_loop().create_future()
            sent.set_exception(KafkaTimeoutError())
        return sent

    @property
    def entries(self) -> list[tuple[str, Any]]:
        """What was put there, each with its batchId."""
        return [(key, msgspec.json.decode(value, type=Entry)) for key, value in self.sent]


@dataclass
class AnswerReader(SettledReader):
    """Has requests answered once somebody waits for it."""

    kafka: Kafka = field(default_factory=Kafka)
    keep: Callable[[list[bytes]], object] = lambda _: None  # what was answered
    took_s: float = 0.0  # by each answer

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Read answers until it is so."""
        self.answered = self.kafka.answered
        while not is_so():
            await asyncio.sleep(self.took_s)
            self.keep(self.kafka.answer())


def _done(result: object) -> asyncio.Future[Any]:
    future = asyncio.get_running_loop().create_future()
    future.set_result(result)
    return future


def a_runner(
    store: Store, reading: Reading | None = None, in_flight_max: int = IN_FLIGHT_MAX
) -> Runner:
    """Run batches of this read model."""
    return Runner(
        topics=TOPICS,
        client_options={},
        reading=reading or SettledReader(),
        batches=Batches(store.engine),
        in_flight_max=in_flight_max,
    )


def keep_batch(store: Store, batch_id: str, items: list[Item] | None = None) -> Any:
    """Let the read model know a batch of a filter, or of a list, and give it."""
    asked = Definition("fin:omar", None if items else {"kind": "USAGE"}, items, ADJUSTMENT)
    store.keep(Rows(batches=[Logged(batch_id, 0, "2026-11-05T10:00:00.000Z", asked)]))
    return Batches(store.engine).batch(batch_id)


def rate(store: Store, events: int) -> None:
    """Let the read model know chargeable events that the filter means."""
    image = image_of("chargeable-event")
    rated = (
        EventRow("A", f"E-{number}", 0, "DATA", "USAGE", "OPEN", "EUR", "NONE", 0, image)
        for number in range(events)
    )
    store.keep(Rows(events={(event.account, event.ref_id): event for event in rated}))


def a_result_of(batch_id: str, item: Item) -> Answer:
    """Give the result of an item."""
    effect = {"taxExcludedAmount": -3, "taxAmount": -1, "taxIncludedAmount": -4}
    value = a_result(adjustment={"effect": effect}, chargeableEventRefId=item.event)
    return an_answer(value, request_id=request_id_of(batch_id, item), account=item.account)


@contextmanager
def threads_of(engine: sql.Engine) -> Iterator[set[int]]:
    """Give the threads that ask the database, as long as the block lasts."""
    seen: set[int] = set()

    def see(*_: object) -> None:
        seen.add(get_ident())

    names = ("before_cursor_execute", "rollback")
    for name in names:
        sql.event.listen(engine, name, see)
    try:
        yield seen
    finally:
        for name in names:
            sql.event.remove(engine, name, see)

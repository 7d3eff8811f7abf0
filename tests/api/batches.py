"""Batches that the read model knows of, and a Kafka for who runs them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import msgspec
import sqlalchemy as sql

from api.batches.entries import Definition, Entry, Logged
from api.batches.reports import Batches
from api.batches.runner import Runner
from api.desk import TOPICS
from api.rows import EventRow, Rows
from api.store import Store
from tests.api.fakes import SettledReader
from tests.api.images import image_of

BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
ADJUSTMENT = {
    "chargeType": "CREDIT",
    "chargeAdjustment": 10_000,
    "currency": "EUR",
    "taxIncluded": True,
}


class Log:
    """Kafka, which takes what is sent to the topic of batches."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    async def send(self, topic: str, value: bytes, key: bytes) -> asyncio.Future[None]:
        """Put a record there."""
        assert topic == TOPICS.batches
        self.sent.append((key.decode(), value))
        sent = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    async def send_and_wait(self, topic: str, value: bytes, key: bytes) -> None:
        """Put a record there."""
        await (await self.send(topic, value, key))

    @property
    def entries(self) -> list[tuple[str, Any]]:
        """What was put there, each with its batchId."""
        return [(key, msgspec.json.decode(value, type=Entry)) for key, value in self.sent]


def a_runner(store: Store) -> Runner:
    """Run batches of this read model."""
    return Runner(
        topics=TOPICS,
        client_options={},
        reading=SettledReader(),
        batches=Batches(store.engine),
        in_flight_max=10,
    )


def keep_batch(store: Store, batch_id: str) -> Any:
    """Let the read model know a batch of a filter, and give it."""
    asked = Definition("fin:omar", {"kind": "USAGE"}, None, ADJUSTMENT)
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

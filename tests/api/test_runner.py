"""How batches are run: what is selected and sent, and what becomes of what fails."""

import asyncio
from itertools import groupby
from typing import Any

import msgspec

from api.batches.entries import Definition, Entry, Logged, Part
from api.batches.log import PART_ITEMS
from api.batches.reports import Batches
from api.batches.runner import Runner
from api.desk import TOPICS
from api.rows import EventRow, Rows
from api.store import Store
from tests.api.fakes import KeptLog, SettledReader

BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
OTHER_ID = BATCH_ID[::-1]
ADJUSTMENT = {
    "chargeType": "CREDIT",
    "chargeAdjustment": 10_000,
    "currency": "EUR",
    "taxIncluded": True,
}


class Log:
    """Kafka, which takes what is sent to the topic of batches."""

    def __init__(self, store: Store) -> None:
        self._kept = KeptLog(store)

    async def send(self, topic: str, value: bytes, key: bytes) -> asyncio.Future[None]:
        """Put a record there."""
        assert topic == TOPICS.batches
        self._kept.keep(key.decode(), value)
        sent = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    async def send_and_wait(self, topic: str, value: bytes, key: bytes) -> None:
        """Put a record there."""
        await (await self.send(topic, value, key))

    @property
    def entries(self) -> list[tuple[str, Any]]:
        """What was put there, each with its batchId."""
        return [(key, msgspec.json.decode(value, type=Entry)) for key, value in self._kept.sent]


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
    rated = (
        EventRow("A", f"E-{number}", 0, "DATA", "USAGE", "OPEN", "EUR", "NONE", 0, b"")
        for number in range(events)
    )
    store.keep(Rows(events={(event.account, event.ref_id): event for event in rated}))


async def test_one_batch_selects_at_a_time(store: Store) -> None:
    rate(store, 2 * PART_ITEMS + 1)
    runner, log = a_runner(store), Log(store)
    batches = [keep_batch(store, batch_id) for batch_id in (BATCH_ID, OTHER_ID)]

    await asyncio.gather(*(runner._select(batch, log) for batch in batches))

    parts = [batch_id for batch_id, entry in log.entries if isinstance(entry, Part)]
    assert [len([*of_one]) for _, of_one in groupby(parts)] == [3, 3]

"""What the reader of the topics keeps of several reads at once."""

import asyncio
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import TopicPartition

from api.desk import TOPICS
from api.metrics import Metrics
from api.read_model import ReadModel
from api.results import Waiters
from api.rows import Progress, Rows
from api.store import Store
from tests.api.images import a_record

LIMIT_S = 30.0


def record(offset: int, *headers: tuple[str, bytes]) -> Any:
    return SimpleNamespace(
        topic=TOPICS.transactions, partition=3, offset=offset, key=b"", value=b"", headers=headers
    )


def test_records_of_others_take_back_no_number_that_was_read_with_them(store: Store) -> None:
    at = TopicPartition(TOPICS.transactions, 3)
    reader = ReadModel(TOPICS, {}, store, Waiters(), Metrics())

    kept = reader._write([{at: [record(0, ("seq", b"7"))]}, {at: [record(1)]}])

    assert kept.positions == {(TOPICS.transactions, 3): Progress(2, 7)}


@pytest.mark.parametrize("last", ["image", "request"])
async def test_a_result_goes_to_the_writer_behind_all_that_it_tells_of(
    store: Store, last: str
) -> None:
    requests, transactions, results = (
        TopicPartition(topic, 3) for topic in (TOPICS.requests, TOPICS.transactions, TOPICS.results)
    )
    reader = ReadModel(TOPICS, {}, store, Waiters(), Metrics())
    reader._given = {requests: 0}
    names = {"requestId": b"1", "source": b"adjustment-requests-3-0", "state-seq": b"5"}
    result = a_record(b'{"status":"APPLIED"}', *names.items(), partition=3)  # two images follow
    of_others = a_record(b'{"status":"APPLIED"}', partition=3)
    told = asyncio.create_task(reader._until_told({results: [result, of_others]}))

    asked = {requests: [record(0)]}
    images = [{transactions: [record(seq - 6, ("seq", b"%d" % seq))]} for seq in (6, 7)]
    for given in [*images, asked] if last == "request" else [asked, *images]:
        await asyncio.sleep(0)
        assert not told.done()
        await reader._give(given)
    await asyncio.wait_for(told, LIMIT_S)


class HeldStore(Store):
    """A store that writes only when it is let."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_writing, self.may_write = Event(), Event()

    def keep(self, rows: Rows) -> None:
        """Keep it, when it may be."""
        self.is_writing.set()
        assert self.may_write.wait(LIMIT_S)
        super().keep(rows)


async def test_what_was_written_is_learnt_although_the_reading_ends(database: str) -> None:
    store, waiters = HeldStore(database), Waiters()
    reader = ReadModel(TOPICS, {}, store, waiters, Metrics())
    headers = {"requestId": b"1", "source": b"adjustment-requests-3-7", "state-seq": b"0"}
    result = a_record(b'{"status":"REFUSED"}', *headers.items(), partition=3)
    claimed = waiters.claim("adjustment-requests-3-7")
    keeping = asyncio.create_task(reader._keep({TopicPartition(TOPICS.results, 3): [result]}))
    await asyncio.to_thread(store.is_writing.wait, LIMIT_S)

    keeping.cancel()  # as for another reader that has lost Kafka
    store.may_write.set()

    await asyncio.wait({keeping}, timeout=LIMIT_S)
    assert (reader.answered, claimed.done()) == ({3: 7}, True)
    reader._writer.shutdown()
    store.close()

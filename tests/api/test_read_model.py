"""What the reader of the topics keeps of several reads at once."""

from types import SimpleNamespace
from typing import Any

from aiokafka.structs import TopicPartition

from api.desk import TOPICS
from api.metrics import Metrics
from api.read_model import ReadModel
from api.results import Waiters
from api.rows import Progress
from api.store import Store


def record(offset: int, *headers: tuple[str, bytes]) -> Any:
    return SimpleNamespace(
        topic=TOPICS.transactions, partition=3, offset=offset, key=b"", value=b"", headers=headers
    )


def test_records_of_others_take_back_no_number_that_was_read_with_them(store: Store) -> None:
    at = TopicPartition(TOPICS.transactions, 3)
    reader = ReadModel(TOPICS, {}, store, Waiters(), Metrics())

    kept = reader._write([{at: [record(0, ("seq", b"7"))]}, {at: [record(1)]}])

    assert kept.positions == {(TOPICS.transactions, 3): Progress(2, 7)}

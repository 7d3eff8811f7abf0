"""A topic and a reader that need no Kafka."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from math import inf
from types import SimpleNamespace

from aiokafka.structs import RecordMetadata, TopicPartition

from api.batches.log import logged
from api.errors import NotCaughtUpError
from api.rows import Rows
from api.store import Store

BATCHES_AT_MS = 1_793_870_000_123
Heard = Callable[[str, int], None]


@dataclass
class ListedTopic:
    """Acknowledges each request, or raises what it was told to."""

    sent: list[tuple[str, bytes, bytes | None]] = field(default_factory=list)
    raises: Exception | None = None
    before_acknowledging: Heard | None = None

    async def publish(
        self, account: str, value: bytes, traceparent: bytes | None
    ) -> RecordMetadata:
        """Put the request on the list."""
        if self.raises:
            raise self.raises
        self.sent.append((account, value, traceparent))
        offset = len(self.sent) - 1
        if self.before_acknowledging:
            self.before_acknowledging(account, offset)
        at = TopicPartition("adjustment-requests", 0)
        return RecordMetadata(at.topic, 0, at, offset, 1_793_870_000_123, 1, 0)


@dataclass
class KeptLog:
    """The topic of batches; what is put there is in the read model at once."""

    store: Store
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(
        self, account: str, value: bytes, _traceparent: bytes | None
    ) -> RecordMetadata:
        """Keep a record; the key is a batchId here."""
        self.keep(account, value)
        at = TopicPartition("adjustment-batches", 0)
        return RecordMetadata(at.topic, 0, at, len(self.sent) - 1, BATCHES_AT_MS, 1, 0)

    def keep(self, batch_id: str, value: bytes) -> None:
        """Put a record there."""
        self.sent.append((batch_id, value))
        record = SimpleNamespace(
            key=batch_id.encode(), value=value, partition=0, timestamp=BATCHES_AT_MS
        )
        if entry := logged(record):
            self.store.keep(Rows(batches=[entry]))


@dataclass
class SettledReader:
    """A reader that has read everything, unless it is told that it has not."""

    is_ready: bool = True
    is_behind: bool = False
    read_even_so: frozenset[str] = frozenset()  # topics
    catches_up_by: Callable[[], object] = lambda: None  # what a look at the topics brings
    shown: list[tuple[int, int]] = field(default_factory=list)
    lag: int | None = 0
    answered: dict[int, int] = field(default_factory=dict)
    quiet_s: float = inf

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return if it is so."""
        assert is_so()

    async def catch_up(self, limit_s: float, topics: Collection[str]) -> None:
        """Return at once."""
        assert limit_s > 0
        if self.is_behind and not self.read_even_so.issuperset(topics):
            raise NotCaughtUpError
        self.catches_up_by()

    async def show(self, partition: int, offset: int, limit_s: float) -> None:
        """Return at once."""
        assert limit_s > 0
        self.shown.append((partition, offset))
        if self.is_behind:
            raise NotCaughtUpError

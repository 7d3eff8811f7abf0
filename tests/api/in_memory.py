"""The engine's own handlers on one partition in memory: what they publish goes into a store."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

from api.records import answer_of, enter_transaction, received_of
from api.rows import Rows
from api.store import Store
from streams.app import build_plan
from streams.delivery.work import Work
from tests.builders import as_bytes

ACCOUNT = "ACC-1001"
AT_MS = 1_793_870_000_123
TOPICS = {
    "account": "accounts",
    "event": "chargeable-events",
    "request": "adjustment-requests",
}


class NoRows:
    """A store that was never written."""

    def get(self, _table: bytes, _key: bytes) -> None:
        return None


class EngineInMemory:
    """Decides step by step; the read model sees all of it, or what a test lets it see."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._work = Work(build_plan(1), NoRows(), 0, {})
        self._given = 0
        self._seen: Counter[str] = Counter()

    def take(self, kind: str, body: Any, account: str = ACCOUNT) -> bytes | None:
        """Take a step and let the read model see it; give the result of a request."""
        asked, published = self.decide(kind, body, account)
        self._store.keep(asked)
        self._store.keep(published)
        return published.answers[0].value if published.answers else None

    def decide(self, kind: str, body: Any, account: str = ACCOUNT) -> tuple[Rows, Rows]:
        """Take a step; give what the read model is to see: the request, and what it came to."""
        record = _record(TOPICS[kind], account.encode(), as_bytes(body), self._given)
        self._given += 1
        self._work.plan.inputs[record.topic](self._work, record)
        asked, published = Rows(), Rows()
        if kind == "request" and (received := received_of(record, 1)):
            asked.requests.append(received)
        for transaction in self._new("business-transactions"):
            enter_transaction(published, transaction)
        for result in self._new("adjustment-results"):
            if answer := answer_of(result):
                published.answers.append(answer)
        return asked, published

    def _new(self, topic: str) -> list[Any]:
        written = self._work.out[topic, 0]
        new = [
            _record(topic, record.key, record.value, offset, record.headers)
            for offset, record in enumerate(written)
            if offset >= self._seen[topic]
        ]
        self._seen[topic] = len(written)
        return new


def _record(
    topic: str,
    key: bytes | None,
    value: bytes | None,
    offset: int,
    headers: Any = (("channel", b"REST"),),
) -> Any:
    return SimpleNamespace(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp=AT_MS,
        key=key,
        value=value,
        headers=headers,
    )

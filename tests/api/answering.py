"""A topic behind which an engine in memory answers each request a moment after it was sent."""

import asyncio
import json

from aiokafka.structs import RecordMetadata, TopicPartition

from api.results import Waiters
from api.rows import Rows
from api.store import Store
from tests.api.in_memory import AT_MS, EngineInMemory
from tests.builders import account_body, event_body

ANSWER_S = 0.002  # later than a caller that prefers not to wait
ACCOUNTS, EVENTS = ("ACC-1001", "ACC-2"), 70  # of each account; more than are on a page


class AnsweringTopic:
    """Takes requests for a few accounts and charges that the read model knows too."""

    def __init__(self, store: Store, waiters: Waiters) -> None:
        self._store, self._waiters = store, waiters
        self._engine = EngineInMemory(store)
        for account in ACCOUNTS:
            named = {"account": {"refId": account}}
            self._engine.take("account", account_body(refId=account), account)
            for number in range(500_001, 500_001 + EVENTS):
                self._engine.take("event", event_body(refId=f"CE-{number}", **named), account)

    async def publish(
        self, account: str, value: bytes, _traceparent: bytes | None
    ) -> RecordMetadata:
        """Put the request on the topic, where everybody sees it at once."""
        asked, published = self._engine.decide("request", json.loads(value), account)
        self._store.keep(asked)
        asyncio.get_running_loop().call_later(ANSWER_S, self._answer, published)
        at, (request,) = TopicPartition("adjustment-requests", 0), asked.requests
        return RecordMetadata(at.topic, 0, at, request.topic_offset, AT_MS, 1, 0)

    def _answer(self, published: Rows) -> None:
        self._store.keep(published)
        for answer in published.answers:
            self._waiters.deliver(answer)

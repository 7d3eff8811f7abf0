"""From the results to who waits for them, by the address of their own request record."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A result as it was on the topic, and what its headers say."""

    account: str
    request_id: str
    chargeable_event_ref_id: str | None
    source: str  # the record of its request
    request_offset: int
    partition: int
    offset: int  # its own
    value: bytes
    status: str
    is_replay: bool
    is_remembered: bool
    state_seq: int  # of the last business transaction that it speaks of, its own included
    decided_at: str  # when Kafka took it


class Waiters:
    """Who waits for what, in this process. Lives on the event loop alone.

    A result may be read before the acknowledgement of its request comes back. So while any
    request is being sent, results that nobody waits for are kept, and looked up by the sender as
    soon as it knows its address.
    """

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._by_source: dict[str, asyncio.Future[Answer]] = {}
        self._by_request_id: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._early: dict[str, Answer] = {}
        self._sending = 0

    @property
    def count(self) -> int:
        """How many callers wait."""
        return len(self._by_source) + sum(map(len, self._by_request_id.values()))

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Hold while a request is sent and until its answer is claimed."""
        self._sending += 1
        try:
            yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._early.clear()

    def claim(self, source: str) -> asyncio.Future[Answer]:
        """Give what will be the result of one request record, or is so already."""
        claimed = asyncio.get_running_loop().create_future()
        if source in self._early:
            claimed.set_result(self._early.pop(source))
        else:
            self._by_source[source] = claimed
            claimed.add_done_callback(lambda _: self._by_source.pop(source, None))
        return claimed

    @contextmanager
    def watching(self, request_id: str) -> Iterator[asyncio.Event]:
        """Hold an event that is set each time a result of this id has been kept."""
        happened = asyncio.Event()
        self._by_request_id[request_id].add(happened)
        try:
            yield happened
        finally:
            self._by_request_id[request_id].discard(happened)
            if not self._by_request_id[request_id]:
                del self._by_request_id[request_id]

    def deliver(self, answer: Answer) -> None:
        """Give a result to those who wait for it."""
        waiting = self._by_source.get(answer.source)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
        elif self._sending:
            self._early[answer.source] = answer
        for happened in self._by_request_id.get(answer.request_id, ()):
            happened.set()

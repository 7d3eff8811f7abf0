"""Calls in threads: nobody who is cancelled goes on while one is under way."""

import asyncio
from collections.abc import Iterator
from threading import Event

import pytest

from api.batches.reports import Batches
from api.batches.runner import Runner
from api.desk import TOPICS
from api.store import Store
from api.threads import in_thread
from tests.api.fakes import SettledReader

LIMIT_S = 30.0


class Call:
    """A call that goes on until it is let."""

    def __init__(self) -> None:
        self._has_begun, self.may_end = Event(), Event()

    def __call__(self) -> None:
        """Go on."""
        self._has_begun.set()
        assert self.may_end.wait(LIMIT_S)

    async def begun(self) -> asyncio.Task[None]:
        """Give a task that waits for the call, which has begun."""
        waiting = asyncio.create_task(in_thread(self))
        await asyncio.to_thread(self._has_begun.wait, LIMIT_S)
        return waiting


@pytest.fixture
def call() -> Iterator[Call]:
    made = Call()
    yield made
    made.may_end.set()


async def test_who_is_cancelled_twice_waits_for_the_end_all_the_same(call: Call) -> None:
    waiting = await call.begun()

    for _ in range(2):
        waiting.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()

    call.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_fault_of_the_call_is_not_lost_with_who_is_cancelled() -> None:
    may_fail = Event()

    def fail() -> None:
        assert may_fail.wait(LIMIT_S)
        raise LookupError

    waiting = asyncio.create_task(in_thread(fail))
    await asyncio.sleep(0)
    waiting.cancel()
    may_fail.set()

    with pytest.raises(LookupError):
        await waiting


async def test_a_batch_that_falls_to_another_process_is_cancelled_once(
    store: Store, call: Call
) -> None:
    runner = Runner(
        topics=TOPICS,
        client_options={},
        reading=SettledReader(),
        batches=Batches(store.engine),
        in_flight_max=10,
    )
    running = runner._running["a batch of another process now"] = await call.begun()

    for _ in range(3):
        await runner._start_and_stop((), object())

    assert running.cancelling() == 1
    call.may_end.set()
    await asyncio.wait({running})

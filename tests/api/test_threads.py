"""Calls in threads: nobody who is cancelled goes on while one is under way."""

import asyncio
from collections.abc import Iterator
from threading import Event, get_ident

import pytest

from api.batches.dry_run import SLICE, dry_run
from api.batches.entries import PART_ITEMS, Part
from api.batches.reports import Batches
from api.batches.submission import BatchSubmission
from api.lookups import Lookups
from api.store import Store
from api.threads import in_thread
from tests.api.batches import (
    ADJUSTMENT,
    BATCH_ID,
    Kafka,
    a_runner,
    keep_batch,
    rate,
    threads_of,
)

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
    runner = a_runner(store)
    running = runner._running["a batch of another process now"] = await call.begun()

    for _ in range(3):
        await runner._start_and_stop((), object())

    assert running.cancelling() == 1
    call.may_end.set()
    await asyncio.wait({running})


async def test_a_dry_run_asks_nothing_of_the_database_in_the_thread_that_answers(
    store: Store,
) -> None:
    rate(store, SLICE + 1)
    submission = BatchSubmission(
        batch_id=BATCH_ID,
        user="fin:omar",
        is_dry_run=True,
        filter={"kind": "USAGE"},
        items=None,
        adjustment=ADJUSTMENT,
    )
    with threads_of(store.engine) as threads:
        report, _ = await dry_run(submission, Batches(store.engine), Lookups(store.engine))

    assert report.matched == SLICE + 1
    assert threads
    assert get_ident() not in threads


async def test_nothing_is_selected_by_the_thread_that_answers(store: Store) -> None:
    rate(store, PART_ITEMS + 1)
    batch, kafka = keep_batch(store, BATCH_ID), Kafka()
    with threads_of(store.engine) as threads:
        await a_runner(store)._select(batch, kafka)

    assert len([entry for _, entry in kafka.entries if isinstance(entry, Part)]) == 2
    assert threads
    assert get_ident() not in threads

"""The parts behind the routes, started and stopped together."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import nan
from threading import Barrier
from typing import Any, Protocol

from api.batches.reports import Batches
from api.batches.runner import Runner
from api.ingress import Ingress, Publisher
from api.lookups import Lookups
from api.metrics import Metrics
from api.read_model import ReadModel, Topics
from api.results import Waiters
from api.searching import Searches
from api.settings import BATCH_IN_FLIGHT
from api.store import Store
from api.threads import in_full

TOPICS = Topics(
    requests="adjustment-requests",
    results="adjustment-results",
    transactions="business-transactions",
    batches="adjustment-batches",
)

CATCH_UP_S = 2.0  # how long a question waits for the read model
DRY_RUNS = 2  # at once; each keeps a connection, and a moment of the read model
READERS = 2  # threads; more only wait for one another, since each row takes the interpreter's lock

_log = logging.getLogger(__name__)


class Reader(Protocol):
    """What the routes need of the read model."""

    @property
    def is_ready(self) -> bool:
        """Whether the ends that the topics had at start have been reached."""

    @property
    def lag(self) -> int | None:
        """How many records are known to be on the topics and not kept; None without Kafka."""

    async def catch_up(self, limit_s: float, topics: Collection[str]) -> None:
        """Return once everything is kept that these topics hold now."""

    async def show(self, partition: int, offset: int, limit_s: float) -> None:
        """Return once a result, and all that it tells of, is kept."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a route works with."""

    ingress: Publisher
    reader: Reader
    lookups: Lookups
    searches: Searches
    waiters: Waiters
    metrics: Metrics
    batches: Batches
    batch_log: Publisher
    dry_runs: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DRY_RUNS))


@asynccontextmanager
async def open_desk(
    store: Store, client_options: dict[str, Any], batch_in_flight: int = BATCH_IN_FLIGHT
) -> AsyncIterator[Desk]:
    """Connect to Kafka in the background, and close all of it again, the store too.

    Kafka need not be there yet: until it is, requests are refused and `/readyz` says so.
    """
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    asyncio.get_running_loop().set_default_executor(readers)
    waiters, metrics = Waiters(), Metrics()
    ingress = Ingress(TOPICS.requests, client_options)
    reader = ReadModel(TOPICS, client_options, store, waiters, metrics)
    batches, batch_log = Batches(store.engine), Ingress(TOPICS.batches, client_options)
    runner = Runner(
        topics=TOPICS,
        client_options=client_options,
        reading=reader,
        batches=batches,
        in_flight_max=batch_in_flight,
    )
    metrics.batch_items.set_function(lambda: runner.in_flight)
    metrics.connected.set_function(lambda: ingress.is_connected)
    metrics.waiting.set_function(lambda: waiters.count)
    metrics.lag.set_function(lambda: nan if (lag := reader.lag) is None else lag)
    parts = (ingress.run(), batch_log.run(), reader.run(), runner.run())
    tasks = [asyncio.create_task(part) for part in parts]
    for task in tasks:
        task.add_done_callback(_die_of_a_fault)
    try:
        yield Desk(
            ingress=ingress,
            reader=reader,
            lookups=Lookups(store.engine),
            searches=Searches(store.engine),
            waiters=waiters,
            metrics=metrics,
            batches=batches,
            batch_log=batch_log,
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await _end_of_all(readers)
        await asyncio.to_thread(store.close)


async def _end_of_all(readers: ThreadPoolExecutor) -> None:
    """Return once no reader reads any more, for whoever was cancelled too: all stand here."""
    here, loop = Barrier(READERS), asyncio.get_running_loop()
    standing = (loop.run_in_executor(readers, here.wait) for _ in range(READERS))
    await in_full(asyncio.gather(*standing))


def _die_of_a_fault(task: asyncio.Task[None]) -> None:
    """End the process: half of it would answer wrongly, and its starter brings it back."""
    if not task.cancelled() and (fault := task.exception()):
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        _log.critical("REST ends: %s: %s", type(fault).__name__, fault)
        os._exit(1)

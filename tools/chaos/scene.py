"""What runs in a round, and how a fault takes hold of a part of it."""

import asyncio
import random
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tools.chaos.cluster import Cluster
from tools.chaos.plan import Round
from tools.chaos.programs import Life, Program
from tools.workers import READY

WORKERS_MAX = 3
SUBSCRIBERS = ("finance", "dwh")
QUICK = {"ADJUST_LEASE_S": "1", "ADJUST_DWH_FLUSH_S": "1"}


class Scene:
    """Kafka, workers and subscribers of one round. Faults take hold of parts one at a time."""

    def __init__(self, folder: Path, plan: Round) -> None:
        self.folder, self.plan = folder, plan
        workers = [f"worker-{number}" for number in range(1, WORKERS_MAX + 1)]
        self.cluster = Cluster(folder, plan.nodes, [*workers, *SUBSCRIBERS])
        self.workers = [self._worker(name) for name in workers]
        self.cut_short: dict[Path, float] = {}  # stores, and when
        self.subscribers = [self._subscriber(name) for name in SUBSCRIBERS]

    @property
    def home(self) -> Path:
        """The folder that both subscribers keep their stores in."""
        return self.folder / "stores"

    @property
    def running(self) -> list[Program]:
        """The workers that are wanted now."""
        return [worker for worker in self.workers if worker.is_wanted]

    @asynccontextmanager
    async def hold_of(self, programs: list[Program], draw: random.Random) -> AsyncIterator[Program]:
        """Choose one that no other fault has hold of, or wait for the one that is drawn."""
        free = [each for each in programs if not each.is_struck.locked()]
        chosen = draw.choice(free or programs)
        async with chosen.is_struck:
            yield chosen

    @asynccontextmanager
    async def hold_of_worker(self, draw: random.Random) -> AsyncIterator[Program]:
        """A worker that runs."""
        async with self.hold_of(self.workers[: self.plan.workers], draw) as worker:
            yield worker

    async def stop_programs(self) -> None:
        """Stop workers, then subscribers, orderly."""
        await self.stop(self.workers)
        await self.stop(self.subscribers)

    async def stop(self, programs: list[Program]) -> None:
        """Stop these at once. Raises what went wrong with one only when all have stopped."""
        ends = (program.stop() for program in programs)
        for problem in await asyncio.gather(*ends, return_exceptions=True):
            if problem:
                raise problem

    def forget_damage(self) -> None:
        """Delete the stores that were cut short and not opened since: nobody had to find it out."""
        for store, cut_at in self.cut_short.items():
            log = store / "LOG"  # RocksDB begins a new one whenever it opens a store
            if log.exists() and log.stat().st_mtime < cut_at:
                shutil.rmtree(store)

    def _worker(self, name: str) -> Program:
        environment = {
            "ADJUST_BOOTSTRAP_SERVERS": self.cluster.links[name].addresses,
            "ADJUST_STATIC_MEMBERSHIP": str(self.plan.is_static).lower(),
        }
        life = Life([sys.executable, "-m", "streams"], environment)
        return Program(name, self.folder / name, life, READY)

    def _subscriber(self, name: str) -> Program:
        environment = {"ADJUST_BOOTSTRAP_SERVERS": self.cluster.links[name].addresses, **QUICK}
        life = Life([sys.executable, "-m", "streams.subscribers", name], environment)
        return Program(name, self.home, life, f"adjust {name} reads")

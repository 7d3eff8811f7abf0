"""Faults of a worker's local store: deleted, truncated, put back to an older copy."""

import asyncio
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.programs import Program
from tools.chaos.scene import Scene
from tools.verify.standing import UnreadableError
from tools.verify.workers import UnitStore

GROWS_S = (2.0, 5.0)
FILES_MAX = 6


async def delete(scene: Scene, draw: random.Random) -> Done:
    """Delete some units' stores, or the worker's whole folder."""
    async with scene.hold_of_worker(draw) as worker:
        async with _without(worker) as stores:
            gone = draw.sample(stores, draw.randint(0, len(stores)))
            for store in gone or [worker.home]:
                shutil.rmtree(store)
        return Done(f"{worker.name}, {len(gone) or 'all'} of {len(stores)}")


async def truncate(scene: Scene, draw: random.Random) -> Done:
    """Cut some files of RocksDB short, anywhere."""
    async with scene.hold_of_worker(draw) as worker:
        async with _without(worker) as stores:
            files = [file for store in stores for file in _files(store)]
            if not files:
                raise NotDoneError(f"{worker.name} has nothing in its store yet")
            cut = draw.sample(files, min(len(files), draw.randint(1, FILES_MAX)))
            for file in cut:
                os.truncate(file, draw.randrange(file.stat().st_size))
                scene.cut_short[file.parent] = time.time()
        names = (f"{file.parent.name}/{file.name}" for file in cut)
        return Done(f"{worker.name}, {', '.join(names)}")


async def put_back(
    scene: Scene, draw: random.Random, grows_s: tuple[float, float] = GROWS_S
) -> Done:
    """Copy the store, let it grow, and put the copy back."""
    grown_s = draw.uniform(*grows_s)
    async with scene.hold_of_worker(draw) as worker:
        copy = worker.home.with_name(f"{worker.name}-copy")
        async with _without(worker) as stores:
            await asyncio.to_thread(_copy, worker.home, copy)
            before = await asyncio.to_thread(_reached, stores)
        if not await worker.is_ready():
            raise NotDoneError(f"{worker.name} was not ready to let its store grow")
        await asyncio.sleep(grown_s)
        async with _without(worker) as stores:
            more = (await asyncio.to_thread(_reached, stores) - before).total()
            if not more:
                raise NotDoneError(f"{worker.name} wrote nothing more to its store")
            await asyncio.to_thread(shutil.rmtree, worker.home)
            copy.rename(worker.home)
        return Done(f"{worker.name}, {more} records older")


def _copy(home: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)  # of another time, when it came to nothing
    shutil.copytree(home, copy)


def _reached(stores: list[Path]) -> Counter[str]:
    """Give how far each store has come in each changelog, as far as it can be read."""
    reached: Counter[str] = Counter()
    for path in stores:
        with suppress(UnreadableError), closing(UnitStore(path)) as unit:
            reached.update({f"{path.name} {topic}": to for topic, to in unit.following.items()})
    return reached


@asynccontextmanager
async def _without(worker: Program) -> AsyncIterator[list[Path]]:
    """Give its stores while it is away. Raises NotDoneError if it has none yet."""
    await worker.kill_for_good()
    try:
        if not (stores := _stores(worker.home)):
            raise NotDoneError(f"{worker.name} has no store yet")
        yield stores
    finally:
        worker.start()


def _files(store: Path) -> list[Path]:
    """Give those that rows depend on."""
    names = ("CURRENT", "MANIFEST-*", "*.sst", "*.log")
    found = (file for name in names for file in sorted(store.glob(name)))
    return [file for file in found if file.stat().st_size]


def _stores(home: Path) -> list[Path]:
    return sorted(home.glob("worker-*/unit-*.db"))

"""Faults of a worker's local store: deleted, truncated, put back to an older copy."""

import asyncio
import os
import random
import shutil
import time
from pathlib import Path

from tools.chaos.scene import Scene

GROWS_S = (2.0, 5.0)
FILES_MAX = 6


async def delete(scene: Scene, draw: random.Random) -> str:
    """Delete some units' stores, or the worker's whole folder."""
    async with scene.hold_of_worker(draw) as worker:
        await worker.kill_for_good()
        stores = _stores(worker.home)
        gone = draw.sample(stores, draw.randint(0, len(stores)))
        for store in gone or [worker.home]:
            shutil.rmtree(store)
        worker.start()
        return f"{worker.name}, {len(gone) or 'all'} of {len(stores)}"


async def truncate(scene: Scene, draw: random.Random) -> str:
    """Cut some files of RocksDB short, anywhere."""
    async with scene.hold_of_worker(draw) as worker:
        await worker.kill_for_good()
        files = [file for store in _stores(worker.home) for file in _files(store)]
        cut = draw.sample(files, min(len(files), draw.randint(1, FILES_MAX)))
        for file in cut:
            os.truncate(file, draw.randrange(file.stat().st_size))
            scene.cut_short[file.parent] = time.time()
        worker.start()
        return f"{worker.name}, {', '.join(f'{file.parent.name}/{file.name}' for file in cut)}"


async def put_back(scene: Scene, draw: random.Random) -> str:
    """Copy the store, let it grow, and put the copy back."""
    async with scene.hold_of_worker(draw) as worker:
        await worker.kill_for_good()
        copy = worker.home.with_name(f"{worker.name}-copy")
        await asyncio.to_thread(shutil.copytree, worker.home, copy)
        worker.start()
        grown_s = draw.uniform(*GROWS_S)
        await asyncio.sleep(grown_s)
        await worker.kill_for_good()
        await asyncio.to_thread(shutil.rmtree, worker.home)
        copy.rename(worker.home)
        worker.start()
        return f"{worker.name}, {grown_s:.1f} s older"


def _files(store: Path) -> list[Path]:
    """Give those that rows depend on."""
    names = ("CURRENT", "MANIFEST-*", "*.sst", "*.log")
    found = (file for name in names for file in sorted(store.glob(name)))
    return [file for file in found if file.stat().st_size]


def _stores(home: Path) -> list[Path]:
    return sorted(home.glob("worker-*/unit-*.db"))

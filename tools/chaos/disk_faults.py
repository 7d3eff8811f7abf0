"""A full disk: a worker's home on a small file system that something else fills up."""

import asyncio
import errno
import os
import random
import shutil
import subprocess
from pathlib import Path

from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.programs import Program
from tools.chaos.scene import Scene

SIZES_MIB = (96, 128)
SERVES_S, FULL_S = (2.0, 4.0), (3.0, 6.0)
PIECE = bytes(1 << 16)
NO_SPACE = os.strerror(errno.ENOSPC)


async def fill(scene: Scene, draw: random.Random) -> Done:
    """Fill the disk under a worker that serves, and free it while it dies again and again."""
    async with scene.hold_of_worker(draw) as worker:
        await worker.kill_for_good()
        size_mib = draw.choice(SIZES_MIB)
        serves_s, full_s = draw.uniform(*SERVES_S), draw.uniform(*FULL_S)
        _mount(worker.home, size_mib)
        try:
            await _use_and_fill(worker, serves_s, full_s)
        finally:
            await worker.kill_for_good()
            _unmount(worker.home)
            worker.start()
        return Done(f"{worker.name}, {size_mib} MiB full for {full_s:.1f} s")


async def _use_and_fill(worker: Program, serves_s: float, full_s: float) -> None:
    worker.start()
    if not await worker.is_ready():
        raise NotDoneError(f"{worker.name} was not ready before")
    rest, life, before = worker.home / "of-somebody-else", worker.lives, worker.written
    await asyncio.to_thread(_fill, rest)
    await asyncio.sleep(full_s)
    is_noticed = worker.lives != life or worker.has_said(NO_SPACE, before)
    rest.unlink(missing_ok=True)
    if not is_noticed:
        raise NotDoneError(f"{worker.name} wrote nothing to its full disk")
    await asyncio.sleep(serves_s)


def _fill(file: Path) -> None:
    try:
        with file.open("wb", buffering=0) as out:
            while True:
                out.write(PIECE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def _mount(home: Path, size_mib: int) -> None:
    options = f"size={size_mib}m,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "chaos", str(home)], check=True)  # noqa: S607


def _unmount(home: Path) -> None:
    """Keep what was on it, as if the disk had been moved to a larger one."""
    moved = home.with_name(f"{home.name}-moved")
    shutil.copytree(home, moved)
    subprocess.run(["umount", str(home)], check=True)  # noqa: S607
    shutil.rmtree(home)
    moved.rename(home)

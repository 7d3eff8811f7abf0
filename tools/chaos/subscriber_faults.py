"""Faults of Finance and the warehouse: killed, and frozen past their lease."""

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.scene import Scene
from tools.waiting import comes_true

FROZEN_S = (1.5, 6.0)
COMMIT_WAIT_S = 5.0


async def kill(scene: Scene, draw: random.Random) -> Done:
    """Kill -9 one of them."""
    async with scene.hold_of(scene.subscribers, draw) as subscriber:
        await subscriber.kill()
        return Done(subscriber.name)


async def kill_after_commit(scene: Scene, draw: random.Random) -> Done:
    """Kill -9 one the moment that its store shows more than before."""
    async with scene.hold_of(scene.subscribers, draw) as subscriber:
        before = _commits(scene.home, subscriber.name)
        if before is None or not await comes_true(
            lambda: (_commits(scene.home, subscriber.name) or 0) > before, COMMIT_WAIT_S
        ):
            raise NotDoneError(f"{subscriber.name} committed nothing")
        await subscriber.kill()
        return Done(subscriber.name)


async def freeze(scene: Scene, draw: random.Random) -> Done:
    """SIGSTOP past its lease, then SIGCONT."""
    frozen_s = draw.uniform(*FROZEN_S)
    async with scene.hold_of(scene.subscribers, draw) as subscriber:
        await subscriber.freeze()
        await asyncio.sleep(frozen_s)
        await subscriber.resume()
        return Done(f"{subscriber.name} for {frozen_s:.1f} s")


def _commits(home: Path, name: str) -> int | None:
    """Give a number that grows with each commit of a store; nothing where it cannot be read now."""
    if name == "dwh":
        numbers = [int(file.stem) for file in (home / "dwh" / "commits").glob("[0-9]*.json")]
        return max(numbers, default=0)
    try:
        with closing(sqlite3.connect(f"file:{home / 'finance.db'}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT sum(next) FROM topic_offset").fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return None  # it is not there yet, or busy

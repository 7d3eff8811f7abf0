"""Jumps of the wall clock, under a worker or a subscriber that lives on."""

import asyncio
import random
from pathlib import Path

from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.programs import Life
from tools.chaos.scene import Scene

LIBRARIES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime")
LIBRARY = "libfaketimeMT.so.1"
JUMPS_S = (-86_400, -3600, -60, 0, 60, 3600, 86_400)
JUMPS, BETWEEN_S = (2, 3), (1.5, 2.5)


def find_library() -> Path | None:
    """Where libfaketime is, if it is installed."""
    root = Path("/")
    folders = (folder for pattern in LIBRARIES for folder in root.glob(pattern.removeprefix("/")))
    return next((folder / LIBRARY for folder in folders if (folder / LIBRARY).exists()), None)


async def jump(scene: Scene, draw: random.Random) -> Done:
    """Let one live with a clock of its own, move that, and kill it: the next has the true time."""
    programs = [*scene.workers[: scene.plan.workers], draw.choice(scene.subscribers)]
    async with scene.hold_of(programs, draw) as program:
        clock = scene.folder / f"{program.name}.clock"
        clock.write_text("+0")
        environment = {
            "LD_PRELOAD": str(find_library()),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        await program.kill_for_good()
        program.start(Life(program.usual.command, environment))
        jumps = jumps_of(draw)
        try:
            if not await program.is_ready():
                raise NotDoneError(f"{program.name} was not ready before")
            life = program.lives
            for seconds in jumps:
                await asyncio.sleep(draw.uniform(*BETWEEN_S))
                clock.write_text(f"{seconds:+d}")
            await asyncio.sleep(draw.uniform(*BETWEEN_S))
            if program.lives != life:  # the next one has no clock of its own
                raise NotDoneError(f"{program.name} did not outlive the jumps")
        finally:
            await program.kill()
        how_far = ", ".join(f"{seconds:+d}" for seconds in jumps)
        return Done(f"{program.name} by {how_far} s")


def jumps_of(draw: random.Random) -> list[int]:
    """How far from the true time each takes it, none to where it was."""
    jumps = [0]
    for _ in range(draw.randint(*JUMPS)):
        jumps.append(draw.choice([seconds for seconds in JUMPS_S if seconds != jumps[-1]]))
    return jumps[1:]

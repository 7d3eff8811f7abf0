"""Carries out the steps of `protocol`, one after the other."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from streams.delivery.protocol import Progress, Steps

Points = Callable[[str, int], Awaitable[None]]  # (what was just done, by which unit): for tests


async def drive(
    steps: Steps,
    carry_out: Mapping[type, Callable[[Any], Awaitable[Any]]],
    reached: Callable[[str], Awaitable[None]],
) -> Progress:
    """Send each step's answer back until the steps end; `reached` hears of each one done."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            progress: Progress = end.value
            return progress
        answer = await carry_out[type(step)](step)
        await reached(type(step).__name__)


async def no_point(_done: str, _unit: int) -> None:
    """Nobody listens."""

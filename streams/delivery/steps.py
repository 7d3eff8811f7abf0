"""Carries out steps, one after the other."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any, TypeVar

Points = Callable[[str, int], Awaitable[None]]  # (what was just done, by which unit): for tests
CarryOut = Mapping[type, Callable[[Any], Awaitable[Any]]]


Outcome = TypeVar("Outcome")


async def drive(
    steps: Generator[Any, Any, Outcome],
    carry_out: CarryOut,
    reached: Callable[[str], Awaitable[None]] | None = None,
) -> Outcome:
    """Send each step's answer back until the steps end; `reached` hears of each one done."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        answer = await carry_out[type(step)](step)
        if reached:
            await reached(type(step).__name__)


async def no_point(_done: str, _unit: int) -> None:
    """Nobody listens."""

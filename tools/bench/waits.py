"""Works out how long requests waited for their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Wait(NamedTuple):
    """When a request was due and when its result was seen, in seconds on one clock; and where."""

    due: float
    seen: float
    partition: int = 0


@dataclass(frozen=True)
class Waits:
    """How long requests waited for their results, in milliseconds."""

    requests: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


@dataclass(frozen=True)
class Restart:
    """Seconds from a kill to the first result of a request that was due after it."""

    first_s: float
    everywhere_s: float  # until each partition has one


def waits_of(waits: Sequence[Wait]) -> Waits:
    """Work out the figures."""
    ms = sorted((wait.seen - wait.due) * 1000 for wait in waits)
    count = len(ms)
    places = (count // 2, count * 99 // 100, count * 999 // 1000, -1)
    return Waits(count, *(ms[place] for place in places))


def restart_of(waits: Sequence[Wait], killed: float) -> Restart:
    """Work out the figures of a program that was killed at this moment."""
    new = sorted((each for each in waits if each.due > killed), key=lambda each: each.seen)
    first_of: dict[int, float] = {}
    for each in new:
        first_of.setdefault(each.partition, each.seen - killed)
    return Restart(min(first_of.values()), max(first_of.values()))

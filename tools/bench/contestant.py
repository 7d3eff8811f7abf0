"""Who answers requests on a loaded system: how it is started, and how far it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tools.bench.processes import Part
from tools.waiting import wait_until

CAUGHT_UP_MAX_S, LOOK_S = 600.0, 0.25

T = TypeVar("T")


@dataclass(frozen=True)
class Contestant:
    """The engine's one worker, or a peer that reads the same requests."""

    name: str
    results: str  # the topic that it writes its results to
    ready: str  # what it says when it serves
    start: Callable[[], Part]
    is_through: Callable[[], bool]

    @contextmanager
    def at_work(self) -> Iterator[Part]:
        """Start it, wait until all requests so far have results, and stop it afterwards."""
        with self.start() as part:
            part.wait_for(self.ready, CAUGHT_UP_MAX_S)
            wait_until(
                lambda: part.has_ended_well or self.is_through(),
                f"{self.name} has answered everything",
                CAUGHT_UP_MAX_S,
                LOOK_S,
            )
            yield part


def rotated(those: Sequence[T], number: int) -> list[T]:
    """Give all, with another one first for each number, so that none has the better place."""
    first = number % len(those)
    return [*those[first:], *those[:first]]

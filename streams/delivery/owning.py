"""What a worker does when the group gives and takes its partition numbers: no I/O and no clock.

What goes in: what is held, what is assigned. What comes out: steps; `own` must be over before the
next heartbeat, `bring_up` takes as long as it takes, one for each unit.

What is always true:

1. From the first sign of a rebalance nothing flows, until the recovery that Faust began after this
   rebalance's `own` is over, if no other rebalance has begun meanwhile.
2. A unit that goes finishes its running transaction first; what it has only queued is dropped.
3. All owned units are fenced before one of them reads, and each serves under the number of the
   take-over that fenced it.
"""

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from streams.delivery.intake import Flow, check_owned
from streams.delivery.protocol import Progress, Steps


@dataclass(frozen=True)
class Shut:
    """Let nothing flow, drop what is only queued, cancel catch-ups."""


@dataclass(frozen=True)
class EndCatchUps:
    """Wait until each cancelled catch-up has ended."""


@dataclass(frozen=True)
class StopUnits:
    """Wait until the running transaction of each unit is over; none begins another."""


@dataclass(frozen=True)
class LetGo:
    """Close these units: another worker owns them, or this one ends."""

    numbers: frozenset[int]


@dataclass(frozen=True)
class FenceAll:
    """Carry out `Fence` for each of these; they are all that is owned now."""

    numbers: frozenset[int]
    take_over: int


@dataclass(frozen=True)
class CaughtUp:
    """All is read. Open the connections that the first transaction needs."""


@dataclass(frozen=True)
class Serve:
    """Open the unit's gate at the offsets of the state."""

    progress: Progress
    take_over: int


def own(
    flow: Flow, held: Collection[int], assigned: Mapping[int, int], inputs: int
) -> Generator[Any, Any, None]:
    """From assigned to fenced. `assigned` says how many inputs came of each partition number."""
    yield Shut()
    number = flow.begin_take_over()
    check_owned(assigned, inputs)
    yield EndCatchUps()
    yield StopUnits()
    yield LetGo(frozenset(held) - assigned.keys())
    yield FenceAll(frozenset(assigned), number)


def bring_up(steps: Steps, take_over: int) -> Generator[Any, Any, None]:
    """From fenced to serving. `steps` is what is left of `protocol.take_over`."""
    progress = yield from steps
    yield CaughtUp()
    yield Serve(progress, take_over)


def leave(held: Collection[int]) -> Generator[Any, Any, None]:
    """An orderly stop."""
    yield Shut()
    yield EndCatchUps()
    yield StopUnits()
    yield LetGo(frozenset(held))

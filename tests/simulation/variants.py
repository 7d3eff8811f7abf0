"""The protocol as the simulated workers run it: as written, unless a test wants a wrong one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from streams.delivery import deciding, intake, owning, protocol
from tests.simulation import ledger
from tests.simulation.coordinator import Coordinator

Clock = Callable[[], int]


def pure(_clock: Clock) -> ledger.Handler:
    """The handler needs no clock."""
    return ledger.handle


@dataclass(frozen=True)
class Variant:
    """All that decides when to fence, read, decide, send, commit, write, seek and drop."""

    take_over: Callable[[str], protocol.Steps] = protocol.take_over
    decide: Callable[..., Any] = deciding.decide
    own: Callable[..., Any] = owning.own
    bring_up: Callable[..., Any] = owning.bring_up
    deliver: Callable[..., Any] = intake.deliver
    misplaced: Callable[[Mapping[Any, int], Mapping[Any, int]], dict[Any, int]] = intake.misplaced
    receive: Callable[..., bool] = intake.Intake.receive
    complete: Callable[[intake.Flow, int], None] = intake.Flow.resume
    fence: Callable[[Coordinator, str, Any], Any] = Coordinator.fence
    handler: Callable[[Clock], ledger.Handler] = pure
    repeats_end: bool = False  # EndTxn, when no answer came
    keeps_rows: bool = False  # those in memory, from one time of serving to the next


AS_WRITTEN = Variant()

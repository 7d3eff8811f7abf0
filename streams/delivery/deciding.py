"""How a unit decides what it took from its queue, as steps: no I/O and no clock, as `protocol`.

What goes in: slices, and what the unit knows: its progress, and how far its inputs are passed.
What comes out: one `Decide` for each slice, then the steps of one transaction over all of them.
What is always true: the unit knows more only after the transaction, that is, when the steps end.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from streams.delivery import protocol
from streams.delivery.intake import Slice, unread
from streams.delivery.plan import PROGRESS_TABLE, Plan
from streams.delivery.protocol import Progress, Writes
from streams.delivery.transaction import OutRecord
from streams.delivery.work import Work

PROGRESS_KEY = b"progress"


class Known(NamedTuple):
    """What a unit that serves knows."""

    progress: Progress  # as the last transaction stored it
    next: Mapping[str, int]  # of each input; ahead of `progress` over offsets without records
    kept: Mapping[str, dict[bytes, Any]]  # by table rows as they were decided: a transaction that
    # fails ends the process, so what it left here is never read

    @property
    def is_ahead(self) -> bool:
        """Whether offsets without records were passed that no transaction has stored."""
        return self.next != self.progress.next


def begin(plan: Plan, progress: Progress) -> Known:
    """Give what a unit knows as it begins to serve: of rows nothing, whatever it knew before."""
    kept: dict[str, dict[bytes, Any]] = {t.name: {} for t in plan.tables.values() if t.is_kept}
    return Known(progress, progress.next, kept)


@dataclass(frozen=True)
class Decide:
    """Handle these records of one input in this order."""

    topic: str
    records: list[Any]


@dataclass(frozen=True)
class Decided:
    """All are decided, and nothing outside knows of it yet. Nothing to do."""


def decide(
    work: Work, known: Known, parts: Sequence[Slice], *, is_overdue: bool
) -> Generator[Any, Any, Known]:
    """Decide every record that the state has not seen, then commit what follows from it.

    Offsets without records alone are worth no transaction, unless one is overdue. With no slice at
    all it was waited for long enough.
    """
    next_, count = dict(known.next), 0
    for part in parts:
        records = unread(next_[part.topic], part)
        yield Decide(part.topic, records)
        count += len(records)
        next_[part.topic] = max(next_[part.topic], part.end)
    progress = known.progress
    if count or not parts or (is_overdue and known.is_ahead):
        yield Decided()
        after = protocol.advanced(progress, next_, work.seq)
        progress = yield from protocol.transaction(after, writes(work, after))
    return Known(progress, next_, known.kept)


def writes(work: Work, progress: Progress) -> Writes:
    """All that one transaction writes: outputs, changed rows, and the progress row with them."""
    plan: Plan = work.plan
    rows, row = work.changed_rows(), msgspec.json.encode(progress)
    for name, changed in rows.items():
        changelog = work.out[plan.tables[name].changelog, work.unit]
        for key, value in changed:
            changelog.append(OutRecord(key, value))
    work.out[plan.progress_changelog, work.unit].append(OutRecord(PROGRESS_KEY, row))
    local = {plan.tables[name].prefix: changed for name, changed in rows.items()}
    local[PROGRESS_TABLE] = [(PROGRESS_KEY, row)]
    return Writes(work.out, local, frozenset(plan.changelogs))

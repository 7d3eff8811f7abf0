"""What a unit decides of what it took, and when that is worth a transaction."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from streams.delivery import protocol
from streams.delivery.deciding import PROGRESS_KEY, Decide, Known, decide
from streams.delivery.errors import Fatal
from streams.delivery.intake import Slice
from streams.delivery.plan import Plan, Table
from streams.delivery.protocol import Progress
from streams.delivery.work import Work
from tests.streams.delivery.walking import kinds, walk


class NoRows:
    def get(self, _table: bytes, _key: bytes) -> None:
        return None


def work() -> Work:
    plan = Plan(
        app_id="app",
        partitions=4,
        inputs={"requests": lambda _work, _record: None},
        outputs=("results",),
        dead_letters={},
        tables={"rows": Table("rows", "rows-changelog", bytes, bytes)},
        progress_changelog="progress-changelog",
    )
    return Work(plan, NoRows(), 3, {"results": 7})


def known(at: int = 5, stored: int = 5) -> Known:
    progress = Progress("C1", {}, next={"requests": stored}, commit=4, line=(("aaaa", 1),))
    return Known(progress, {"requests": at}, {})


def slice_of(start: int, *offsets: int, end: int) -> Slice:
    return Slice("requests", start, [SimpleNamespace(offset=n) for n in offsets], end, 1)


def decided(
    parts: list[Slice], before: Known, unit: Work | None = None, *, is_overdue: bool = False
) -> tuple[list[Any], Known]:
    steps = decide(unit or work(), before, parts, is_overdue=is_overdue)
    return walk(steps, {protocol.Confirm: {"results": 9}})


def test_slices_are_decided_one_by_one_and_committed_together() -> None:
    steps, after = decided([slice_of(5, 5, 6, end=7), slice_of(7, 8, end=9)], known())
    assert kinds(steps[:4]) == ["Decide", "Decide", "Decided", "Begin"]
    assert [record.offset for step in steps[:2] for record in step.records] == [5, 6, 8]
    assert after.next == after.progress.next == {"requests": 9}
    assert after.progress.commit == 5


def test_what_was_decided_before_is_not_decided_again() -> None:
    steps, _ = decided([slice_of(3, 3, 4, 5, end=6)], known())
    assert isinstance(steps[0], Decide)
    assert [record.offset for record in steps[0].records] == [5]


def test_a_gap_ends_the_process_before_anything_is_sent() -> None:
    with pytest.raises(Fatal, match="the state is at 5"):
        decided([slice_of(6, 6, end=7)], known())


def test_offsets_without_records_alone_are_worth_no_transaction() -> None:
    before = known()
    steps, after = decided([slice_of(5, end=9)], before)
    assert kinds(steps) == ["Decide"]
    assert after.progress is before.progress
    assert after.is_ahead


@pytest.mark.parametrize(
    ("parts", "is_overdue"), [([], False), ([slice_of(7, end=9)], True)], ids=["idle", "overdue"]
)
def test_offsets_without_records_are_stored_in_the_end(
    parts: list[Slice], *, is_overdue: bool
) -> None:
    steps, after = decided(parts, known(at=7), is_overdue=is_overdue)
    assert "Commit" in kinds(steps)
    assert not after.is_ahead


def test_nothing_that_is_overdue_makes_no_transaction() -> None:
    steps, _ = decided([slice_of(5, end=9)], known(), is_overdue=True)
    assert "Commit" not in kinds(steps)


def test_the_progress_row_and_the_changed_rows_are_sent_and_written_in_the_same_transaction() -> (
    None
):
    unit = work()
    unit.put("rows", b"key", b"row")
    unit.emit("results", b"key", b"value", [], 1)
    steps, after = decided([slice_of(5, 5, end=6)], known(), unit)
    sent = {step.place: step.records for step in steps if isinstance(step, protocol.Send)}
    (local,) = [step for step in steps if isinstance(step, protocol.WriteLocal)]
    row = sent["progress-changelog", 3][0]
    assert sent.keys() == {("results", 3), ("rows-changelog", 3), ("progress-changelog", 3)}
    assert msgspec.json.decode(row.value, type=Progress).seq == after.progress.seq == {"results": 8}
    assert local.rows == {b"rows": [(b"key", b"row")], b"progress": [(PROGRESS_KEY, row.value)]}

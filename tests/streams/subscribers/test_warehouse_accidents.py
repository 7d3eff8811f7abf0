"""Whatever happens to an instance of the warehouse, every record is kept once.

Each accident is tried at each step that an instance takes on its disk.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from streams.subscribers.errors import FencedError, StoreError
from streams.subscribers.images import Batch
from streams.subscribers.warehouse import log
from streams.subscribers.warehouse.disk import Disk
from streams.subscribers.warehouse.store import Warehouse
from tests.streams.subscribers.topic import batch_of, record
from tests.streams.subscribers.warehousing import (
    FUTURE_MS,
    BreakingDisk,
    Crash,
    SlowDisk,
    giving_up,
    goes_on,
    kept,
    places_of,
    raises,
    rows_in,
    some_records,
    strangers_in,
    takes_over,
    warehouse,
)

STEPS_MAX = 500
RECORDS = [each for each in some_records() if b"usageType" in each.value]
RECORDS.append(record(None, offset=9))  # set aside


def nothing() -> None:
    """No accident."""


def work(folder: Path, disk: Disk) -> None:
    """Make files of a day that is over, and merge them: all that an instance does."""
    instance = warehouse(folder, disk)
    goes_on(instance, RECORDS)
    instance.close()
    merging = warehouse(folder, disk)
    merging.open()
    merging.keep(Batch())
    merging.close()


def each_step(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Give a folder of its own for each step that work takes."""
    counting = BreakingDisk(STEPS_MAX, nothing)
    work(tmp_path / "whole", counting)
    assert 40 < counting.steps < STEPS_MAX
    for step in range(1, counting.steps + 1):
        yield tmp_path / str(step), step


def ends_well(folder: Path) -> None:
    """Let another instance go on, and look at what is there."""
    with suppress(StoreError):  # no folder, or nothing in it
        before = rows_in(folder)
        assert before == places_of(RECORDS)[: len(before)]
    instance = warehouse(folder)
    with giving_up():
        instance.open()
    goes_on(instance, RECORDS)
    instance.keep(Batch())
    instance.close()
    assert rows_in(folder) == places_of(RECORDS)
    assert strangers_in(folder) == set()


def test_a_crash_at_any_step_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    for folder, step in each_step(tmp_path):
        disk = BreakingDisk(step, raises(Crash()), is_last=True)

        with pytest.raises(Crash):
            work(folder, disk)

        ends_well(folder)


def test_what_an_instance_has_kept_is_there_after_a_crash_at_any_later_step(
    tmp_path: Path,
) -> None:
    for folder, step in each_step(tmp_path):
        instance = warehouse(folder, BreakingDisk(step, raises(Crash()), is_last=True))
        done: list[Any] = []
        with suppress(Crash):
            instance.open()
            for each in RECORDS:
                instance.keep(batch_of(each))
                done.append(each)

        assert rows_in(folder)[: len(done)] == places_of(done)


def test_an_error_of_the_disk_at_any_step_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    for folder, step in each_step(tmp_path):
        disk = BreakingDisk(step, raises(OSError(28, "No space left on device")))

        with suppress(StoreError):
            work(folder, disk)

        ends_well(folder)


def test_an_instance_that_was_taken_over_at_any_step_loses_nothing_and_adds_nothing(
    tmp_path: Path,
) -> None:
    for folder, step in each_step(tmp_path):
        other = warehouse(folder)

        def take_over(other: Warehouse = other) -> None:
            with giving_up():
                takes_over(other)
                goes_on(other, RECORDS[:2])

        with giving_up():
            work(folder, BreakingDisk(step, take_over))

        with giving_up():
            goes_on(other, RECORDS)
        other.close()
        ends_well(folder)


def test_one_that_was_taken_over_deletes_the_files_it_cannot_commit(tmp_path: Path) -> None:
    disk = SlowDisk("folder")
    sleeper, other = warehouse(tmp_path, disk), warehouse(tmp_path)
    sleeper.open()
    disk.others_do = lambda: takes_over(other)

    with pytest.raises(FencedError):
        sleeper.keep(batch_of(RECORDS[0]))

    assert rows_in(tmp_path) == []
    assert strangers_in(tmp_path) == set()


@pytest.mark.parametrize("before", ["folder", "commit"])
def test_one_that_was_taken_over_deletes_no_files_of_the_same_name(
    tmp_path: Path, before: str
) -> None:
    disk = SlowDisk(before)
    sleeper, other = warehouse(tmp_path, disk), warehouse(tmp_path)
    sleeper.open()

    def others_do() -> None:
        takes_over(other)
        other.keep(batch_of(RECORDS[0]))

    disk.others_do = others_do

    with pytest.raises((FencedError, StoreError)):
        sleeper.keep(batch_of(RECORDS[0]))

    other.close()
    assert rows_in(tmp_path) == places_of(RECORDS[:1])
    ends_well(tmp_path)


def many_commits(folder: Path) -> None:
    """Let others work until the log was cut twice."""
    instance = warehouse(folder)
    takes_over(instance)
    for offset in range(2 * log.WHOLE_EVERY + 1):
        instance.keep(batch_of(record(None, offset=offset, at_ms=FUTURE_MS)))
    instance.close()


def test_one_that_slept_while_the_log_was_cut_cannot_commit(tmp_path: Path) -> None:
    sleeper = warehouse(tmp_path)
    sleeper.open()
    many_commits(tmp_path)
    before = rows_in(tmp_path)

    with pytest.raises(FencedError):
        sleeper.keep(batch_of(*RECORDS))

    assert rows_in(tmp_path) == before
    assert strangers_in(tmp_path) == set()


def test_one_that_slept_just_before_its_commit_takes_it_back(tmp_path: Path) -> None:
    disk = SlowDisk("commit")
    sleeper = warehouse(tmp_path, disk)
    sleeper.open()
    disk.others_do = lambda: many_commits(tmp_path)

    with pytest.raises(FencedError):
        sleeper.keep(batch_of(RECORDS[0]))

    numbers = sorted(int(file.stem) for file in (tmp_path / "commits").iterdir())
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[0] > 2
    assert strangers_in(tmp_path) == set()


def test_the_log_stays_short(tmp_path: Path) -> None:
    kept(tmp_path)

    many_commits(tmp_path)

    commits = list((tmp_path / "commits").iterdir())
    assert log.WHOLE_EVERY < len(commits) <= 2 * log.WHOLE_EVERY
    assert len(rows_in(tmp_path)) == 2 * log.WHOLE_EVERY + 1

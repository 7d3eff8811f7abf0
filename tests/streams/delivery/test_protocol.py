"""The steps of a take-over and of a transaction, and every reason to refuse or to start anew."""

from typing import Any

import msgspec
import pytest

from streams.delivery import protocol
from streams.delivery.errors import Fatal
from streams.delivery.protocol import Ends, Local, Mark, Progress, Span, Writes
from tests.streams.delivery.walking import kinds, walk

CHANGELOGS = frozenset({"rows-changelog", "progress-changelog"})


def ends(**changed: Any) -> Ends:
    made = Ends(
        inputs={"requests": Span(0, 10, 10)},
        outputs={"results": Span(0, 30, 30)},
        changelogs={"rows-changelog": Span(0, 20, 20), "progress-changelog": Span(0, 5, 5)},
        cluster="C1",
        topics={"requests": "id-1", "rows-changelog": "id-2", "progress-changelog": "id-3"},
    )
    return made._replace(**changed)


def stored(**changed: Any) -> Progress:
    made = Progress(
        cluster="C1",
        topics={"requests": "id-1", "rows-changelog": "id-2", "progress-changelog": "id-3"},
        next={"requests": 7},
        seq={"results": 7},
        written={"rows-changelog": 18, "results": 28},
        commit=4,
        line=(("aaaa", 1), ("bbbb", 3)),
    )
    return msgspec.structs.replace(made, **changed)


EMPTY = Local(None, {"rows-changelog": 0, "progress-changelog": 0})


def take_over(given: dict[type, Any]) -> tuple[list[Any], Progress]:
    return walk(protocol.take_over("cccc"), given)


def answers(
    ends_: Ends | None = None, progress: Progress | None = None, local: Local = EMPTY, rows: int = 0
) -> dict[type, Any]:
    return {
        protocol.ReadEnds: ends_ or ends(),
        protocol.ReadProgress: progress,
        protocol.ReadLocal: local,
        protocol.Replay: rows,
    }


def test_the_first_take_over_of_all_reads_everything_and_starts_inputs_at_their_beginning() -> None:
    steps, progress = take_over(answers())
    assert kinds(steps) == [
        "Fence",
        "ReadEnds",
        "ReadProgress",
        "ReadOutput",
        "ReadLocal",
        "Replay",
    ]
    assert steps[-1].start == {"rows-changelog": 0, "progress-changelog": 0}
    assert progress.next == {"requests": 0}
    assert progress.line == (("cccc", 1),)


def test_a_take_over_joins_the_line_with_its_first_commit() -> None:
    steps, progress = take_over(answers(progress=stored(), rows=20))
    assert protocol.WriteMark(Mark("bbbb", 4, "C1")) in steps
    assert progress.line == (("aaaa", 1), ("bbbb", 3), ("cccc", 5))
    assert progress.next == {"requests": 7}


def test_a_store_on_the_line_is_read_on_from_its_own_offsets() -> None:
    local = Local(Mark("aaaa", 2, "C1"), {"rows-changelog": 9, "progress-changelog": 2})
    steps, _ = take_over(answers(progress=stored(), local=local))
    assert "DropStore" not in kinds(steps)
    assert steps[-1].start == {"rows-changelog": 9, "progress-changelog": 2}


@pytest.mark.parametrize(
    ("local", "why"),
    [
        (Local(None, {"rows-changelog": 9}), "no mark"),
        (Local(Mark("aaaa", 2, "C2"), {"rows-changelog": 9}), "of cluster C2"),
        (Local(Mark("aaaa", 3, "C1"), {"rows-changelog": 9}), "not on the line"),
        (Local(Mark("bbbb", 5, "C1"), {"rows-changelog": 9}), "not on the line"),
        (Local(Mark("zzzz", 4, "C1"), {"rows-changelog": 9}), "not on the line"),
        (Local(Mark("bbbb", 4, "C1"), {"rows-changelog": 21}), "ahead of its changelog"),
    ],
)
def test_a_store_that_is_no_beginning_of_the_changelog_is_deleted_and_replayed(
    local: Local, why: str
) -> None:
    steps, _ = take_over(answers(progress=stored(), local=local))
    (dropped,) = [step for step in steps if isinstance(step, protocol.DropStore)]
    assert why in dropped.why
    assert steps[-1].start == {"rows-changelog": 0, "progress-changelog": 0}


@pytest.mark.parametrize(
    ("ends_", "progress", "why"),
    [
        (ends(cluster="C2"), stored(), "is of cluster C1"),
        (ends(topics={"requests": "id-9"}), stored(), "deleted and created again"),
        (ends(inputs={"requests": Span(8, 10, 10)}), stored(), "the state is at 7"),
        (ends(inputs={"requests": Span(0, 6, 6)}), stored(), "the state is at 7"),
        (ends(outputs={"results": Span(0, 27, 27)}), stored(), "28 was already written"),
        (ends(changelogs={"rows-changelog": Span(0, 17, 17)}), stored(), "was already written"),
        (ends(changelogs={"rows-changelog": Span(1, 20, 20)}), stored(), "rows of the state"),
        (ends(changelogs={"rows-changelog": Span(1, 20, 20)}), None, "rows of the state"),
    ],
)
def test_a_log_that_lost_what_the_state_needs_is_refused(
    ends_: Ends, progress: Progress | None, why: str
) -> None:
    with pytest.raises(Fatal, match=why):
        take_over(answers(ends_, progress))


def test_rows_without_progress_are_refused() -> None:
    with pytest.raises(Fatal, match="no progress"):
        take_over(answers(rows=3))


def test_outputs_without_a_state_are_refused() -> None:
    with pytest.raises(Fatal, match="changelogs were deleted"):
        take_over(answers() | {protocol.ReadOutput: True})


def test_a_store_that_cannot_be_opened_is_deleted_and_replayed() -> None:
    steps, _ = take_over(answers(progress=stored(), local=Local(None, {}, "it cannot be opened")))
    assert protocol.DropStore("it cannot be opened") in steps


def test_an_open_transaction_is_waited_for_and_then_refused() -> None:
    hidden = ends(changelogs={"rows-changelog": Span(0, 15, 20)})
    with pytest.raises(Fatal, match="stays open in rows-changelog"):
        take_over(answers(hidden))


def test_the_line_remembers_a_bounded_number_of_take_overs() -> None:
    long = tuple((f"{n:04x}", n + 1) for n in range(protocol.LINE_MAX))
    _, progress = take_over(answers(progress=stored(line=long, commit=len(long)), rows=1))
    assert len(progress.line) == protocol.LINE_MAX
    assert progress.line[-1] == ("cccc", len(long) + 1)


def test_rows_are_written_locally_only_after_the_commit() -> None:
    progress = protocol.advanced(stored(), {"requests": 9}, {"results": 9})
    places = [("results", 3), ("requests", 1), ("rows-changelog", 3), ("progress-changelog", 3)]
    out = {place: [place] for place in places}
    steps = protocol.transaction(progress, Writes(out, {b"rows": [(b"k", b"v")]}, CHANGELOGS))
    seen = [next(steps)]
    written = {"results": 32, "rows-changelog": 22, "progress-changelog": 6}
    while not isinstance(seen[-1], protocol.WriteLocal):
        seen.append(steps.send(written if isinstance(seen[-1], protocol.Confirm) else None))
    with pytest.raises(StopIteration) as end:
        steps.send(None)
    sends = ["Send"] * len(places)
    assert kinds(seen) == ["Begin", *sends, "Confirm", "Commit", "WriteLocal"]
    assert seen[-1].next == {"rows-changelog": 23, "progress-changelog": 7}
    assert seen[-1].rows == {b"rows": [(b"k", b"v")]}
    assert seen[-1].mark == Mark("bbbb", 5, "C1")
    assert end.value.value.written == written

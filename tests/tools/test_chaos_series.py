"""A run loses at most the round that it is in, and says which one that was."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import pytest

from tests.tools.test_chaos_rounds import Rehearsal, bites
from tools.chaos.faults import FAULTS
from tools.chaos.folder import Folder
from tools.chaos.judging import JudgementFailedError, Verdict
from tools.chaos.plan import GROUPS, Round, Step, plan_steps
from tools.chaos.report import group_of
from tools.chaos.rounds import Fault, Playable
from tools.chaos.series import Asked, Series
from tools.kafka.errors import NoJavaError

QUICK = 1e-6  # minutes: the rounds have only the steps that must be
Prepare = Callable[[int, Rehearsal], object]


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    with Folder(tmp_path) as made:
        yield made


def series(folder: Folder, report: Path, prepare: Prepare) -> Series:
    """A run on stages without a Kafka, each prepared before it is played on."""

    def make(place: Path, plan: Round) -> tuple[Playable, Mapping[str, Fault]]:
        place.mkdir()
        stage = Rehearsal(place)
        prepare(plan.number, stage)
        return stage, dict.fromkeys(FAULTS, bites)

    return Series(folder, Asked(QUICK, 5, report, 0.0, without_quiet), make)


def without_quiet(seed: int) -> Iterator[Step]:
    return (replace(step, quiet_s=0.0) for step in plan_steps(seed))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_the_report_is_written_after_each_round(folder: Folder, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    rounds_written = []

    def look(_number: int, _stage: Rehearsal) -> None:
        written = json.loads(file.with_suffix(".json").read_text()) if file.exists() else {}
        rounds_written.append(written.get("rounds"))

    made = series(folder, file, look)
    await made.run()

    assert rounds_written == [None, {"with 1 node": 1}]
    assert made.report.rounds == {"with 1 node": 1, "with 3 nodes": 1}
    assert made.report.exit_code == 0
    assert names(tmp_path) == [folder.path.name, "report.json", "report.md"]
    assert names(folder.path) == []


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (JudgementFailedError("verify ended with 1: no Kafka"), "verify ended with 1: no Kafka"),
        (OSError("no room"), "OSError('no room')"),
    ],
)
async def test_a_round_without_a_verdict_is_set_aside_and_the_others_go_on(
    folder: Folder, tmp_path: Path, problem: Exception, told: str
) -> None:
    def spoil(number: int, stage: Rehearsal) -> None:
        if number == 1:
            stage.verdict = problem

    made = series(folder, tmp_path / "report.md", spoil)
    await made.run()

    (line,) = made.report.unjudged
    assert line.startswith(f"round 1 of seed 5, {told}, ")
    assert made.report.rounds == {"with 3 nodes": 1}
    assert made.report.exit_code == 2
    assert "Traceback" in (folder.path / "round-1" / "problem.txt").read_text()


async def test_a_stage_that_cannot_be_made_fails_its_round_alone(
    folder: Folder, tmp_path: Path
) -> None:
    def refuse(number: int, _stage: Rehearsal) -> None:
        if number == 1:
            message = "no port is free"
            raise OSError(message)

    made = series(folder, tmp_path / "report.md", refuse)
    await made.run()

    assert "no port is free" in made.report.unjudged[0]
    assert made.report.rounds.total() == 1


async def test_a_disagreement_keeps_its_round_and_no_other(folder: Folder, tmp_path: Path) -> None:
    def disagree(number: int, stage: Rehearsal) -> None:
        if number == 2:
            stage.verdict = Verdict(1, ["seq is 4"])

    made = series(folder, tmp_path / "report.md", disagree)
    await made.run()

    assert made.report.exit_code == 1
    assert names(folder.path) == ["round-2"]


async def test_an_interrupted_round_is_named_and_counts_for_nothing(
    folder: Folder, tmp_path: Path
) -> None:
    reached = asyncio.Event()

    def hang(number: int, stage: Rehearsal) -> None:
        stage.recoveries = hanging(reached) if number == 2 else repeat(1.0)

    made = series(folder, tmp_path / "report.md", hang)
    running = asyncio.create_task(made.run())
    await reached.wait()
    running.cancel()
    await asyncio.wait({running})

    assert running.cancelled()
    assert made.report.unjudged == ["round 2 of seed 5, it was interrupted."]
    assert made.report.rounds == {"with 1 node": 1}
    assert made.report.exit_code == 2


async def test_a_machine_without_java_is_no_matter_of_a_round(
    folder: Folder, tmp_path: Path
) -> None:
    def miss(_number: int, _stage: Rehearsal) -> None:
        raise NoJavaError(17, [])

    with pytest.raises(NoJavaError):
        await series(folder, tmp_path / "report.md", miss).run()


def hanging(reached: asyncio.Event) -> Iterator[float]:
    """Give one time, then let it be known that this round is under way."""
    yield 1.0
    reached.set()
    yield from repeat(1.0)


async def test_the_last_round_does_what_is_left_of_the_opening(
    folder: Folder, tmp_path: Path
) -> None:
    made = series(folder, tmp_path / "report.md", lambda _number, _stage: None)
    await made.run()

    assert {group_of(kind) for kind in made.report.faults} == {*GROUPS}

"""A round counts what took place, measures what follows, and is worth nothing without a verdict."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import repeat
from pathlib import Path

import pytest

from tools.chaos.judging import JudgementFailedError, Verdict
from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.plan import Round, Step
from tools.chaos.report import TOGETHER
from tools.chaos.rounds import Fault, Running

PLAN = Round(3, "9/3", 60.0, 3, 2, 20, is_static=True)
CUT, KILL = "network cut", "worker killed at random"


class Rehearsal:
    """A stage without a Kafka; each answer of it can be set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failures: list[str] = []
        self.sent, self.seen = Counter({"new": 5}), Counter({"refused": 2})
        self.said_to: list[str] = []
        self.asked_since: list[float] = []
        self.recoveries: Iterator[float | None] = repeat(1.5)
        self.left_undecided, self.waited_until = 0, 0.0
        self.verdict: Verdict | Exception = Verdict(0, [], {"requests": 7})

    async def begin(self) -> None:
        self.said_to.append("begin")

    async def recovered(self, since: float) -> float | None:
        self.asked_since.append(since)
        return next(self.recoveries)

    async def settle(self) -> None:
        self.said_to.append("settle")

    def send_late_ones(self) -> None:
        self.said_to.append("late ones")

    async def end_load(self) -> None:
        self.said_to.append("end load")

    async def undecided(self, until: float) -> int:
        self.waited_until = until
        return self.left_undecided

    async def judge(self) -> Verdict:
        self.said_to.append("judge")
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict

    async def close(self) -> None:
        self.said_to.append("close")


async def bites(_draw: random.Random) -> Done:
    return Done("bitten")


async def misses(_draw: random.Random) -> Done:
    raise NotDoneError("nothing was there")


async def breaks(_draw: random.Random) -> Done:
    message = "the tool itself"
    raise OSError(message)


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


def steps(*kinds: str) -> Iterator[Step]:
    return repeat(Step(kinds, 0.0, "9/step"))


async def play(
    stage: Rehearsal, faults: Mapping[str, Fault], *kinds: str, count: int = 1
) -> tuple[Running, list[str]]:
    """Play so many steps at least; it is long past the time to begin no more."""
    said: list[str] = []
    running = Running(PLAN, stage, faults, said.append, faults_min_s=0.0)
    assert await running.run(steps(*kinds), time.monotonic(), count) == count
    return running, said


async def test_a_fault_that_took_place_is_counted_with_its_recovery(stage: Rehearsal) -> None:
    running, said = await play(stage, {CUT: bites}, CUT, count=2)

    found = running.found
    assert found.faults == {CUT: 2}
    assert found.recoveries == {CUT: [1.5, 1.5]}
    assert found.rounds == {"with 3 nodes": 1}
    assert (found.requests, found.totals) == ({"new": 5}, {"refused": 2, "requests": 7})
    assert f"{CUT}: bitten" in said
    assert stage.said_to == [
        *("begin", "late ones", "settle", "late ones", "settle"),
        *("end load", "judge", "close"),
    ]


async def test_recovery_counts_from_the_end_that_the_fault_names(stage: Rehearsal) -> None:
    async def ended_long_ago(_draw: random.Random) -> Done:
        return Done("the broker was started", 12.0)

    await play(stage, {"broker killed": ended_long_ago}, "broker killed")

    assert stage.asked_since[-1] == 12.0
    assert stage.waited_until == 72.0


async def test_a_fault_that_did_not_bite_is_named_apart(stage: Rehearsal) -> None:
    running, said = await play(stage, {CUT: misses}, CUT)

    assert not running.found.faults
    assert not running.found.recoveries
    assert running.found.not_done == {CUT: 1}
    assert f"{CUT}: not done, nothing was there" in said


async def test_what_came_together_is_measured_for_none_of_them(stage: Rehearsal) -> None:
    running, _ = await play(stage, {CUT: bites, KILL: bites}, CUT, KILL)

    assert running.found.faults == {CUT: 1, KILL: 1}
    assert running.found.recoveries == {TOGETHER: [1.5]}


async def test_if_one_of_two_did_not_bite_nothing_is_measured(stage: Rehearsal) -> None:
    running, _ = await play(stage, {CUT: bites, KILL: misses}, CUT, KILL)

    assert running.found.faults == {CUT: 1}
    assert not running.found.recoveries


async def test_who_never_recovers_is_a_disagreement_and_the_longest_time(
    stage: Rehearsal,
) -> None:
    stage.recoveries = iter([0.5, None])

    running, _ = await play(stage, {CUT: bites}, CUT)

    assert running.found.disagreements == 1
    assert running.found.recoveries == {CUT: [math.inf]}
    assert running.found.lines[0].startswith(f"after {CUT}: no answer within 60 s (round 3 of ")


async def test_each_undecided_request_and_each_disagreement_of_verify_counts(
    stage: Rehearsal,
) -> None:
    stage.left_undecided = 4
    stage.verdict = Verdict(3, ["I4 seq without gap: 3", "seq is 4", "seq is 5", "seq is 6"])

    running, said = await play(stage, {CUT: bites}, CUT)

    assert running.found.disagreements == 7
    assert "DISAGREEMENT I4 seq without gap: 3" in said


async def test_a_load_that_failed_ends_the_round_and_is_a_disagreement(stage: Rehearsal) -> None:
    stage.failures = ["The load ended too soon."]

    running, _ = await play(stage, {CUT: bites}, CUT, count=0)

    assert running.found.disagreements == 1
    assert stage.said_to == ["begin", "end load", "judge", "close"]


@pytest.mark.parametrize("problem", [JudgementFailedError("verify died"), OSError("no room")])
async def test_without_a_verdict_the_round_fails_and_everything_is_ended(
    stage: Rehearsal, problem: Exception
) -> None:
    stage.verdict = problem

    with pytest.raises(type(problem), match=str(problem)):
        await play(stage, {CUT: bites}, CUT)

    assert stage.said_to[-1] == "close"


async def test_a_fault_that_breaks_the_tool_fails_the_round_and_everything_is_ended(
    stage: Rehearsal,
) -> None:
    with pytest.raises(ExceptionGroup):
        await play(stage, {CUT: breaks}, CUT)

    assert stage.said_to[-1] == "close"


async def test_an_interrupted_round_ends_everything(stage: Rehearsal) -> None:
    begun = asyncio.Event()

    async def lasts(_draw: random.Random) -> Done:
        begun.set()
        await asyncio.Event().wait()
        return Done("never")

    playing = asyncio.create_task(play(stage, {CUT: lasts}, CUT))
    await begun.wait()
    playing.cancel()
    await asyncio.wait({playing})

    assert playing.cancelled()
    assert stage.said_to == ["begin", "close"]

"""One round: a fresh system under load, faults with quiet between them, and the verdict."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from tools.chaos.judging import Verdict
from tools.chaos.outcome import Done, NotDoneError
from tools.chaos.plan import Round, Step
from tools.chaos.recovery import LIMIT_S
from tools.chaos.report import TOGETHER, Report, label_of

UNDECIDED_MAX_S = 60.0
FAULTS_MIN_S = 45.0
BEGIN_MAX_S, FAULT_MAX_S, JUDGE_MAX_S = 240.0, 240.0, 1200.0  # else the machine is at its end

Say = Callable[[str], None]
Fault = Callable[[random.Random], Awaitable[Done]]  # or raises NotDoneError


class Playable(Protocol):
    """What a round asks of what it is played on; `Stage` is such, and so is a test's."""

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""

    @property
    def failures(self) -> list[str]:
        """Why this is not the round that it was to be."""

    @property
    def sent(self) -> Counter[str]:
        """What the load sent."""

    @property
    def seen(self) -> Counter[str]:
        """What came of it."""

    async def begin(self) -> None:
        """Start everything."""

    async def recovered(self, since: float) -> float | None:
        """Seconds from `since` until what is asked now is answered."""

    async def settle(self) -> None:
        """Wait until what was started again is there, also if nobody needs it."""

    def send_late_ones(self) -> None:
        """Send what was kept back."""

    async def end_load(self) -> None:
        """Send no more."""

    async def undecided(self, until: float) -> int:
        """Wait until nothing is undecided; give how much is, at last."""

    async def judge(self) -> Verdict:
        """Judge everything."""

    async def close(self) -> None:
        """End everything."""


class Running:
    """One round that runs."""

    def __init__(
        self,
        plan: Round,
        stage: Playable,
        faults: Mapping[str, Fault],
        say: Say,
        faults_min_s: float = FAULTS_MIN_S,
    ) -> None:
        self.found, self._faults_min_s = Report(), faults_min_s
        self._plan, self._stage, self._faults, self._say = plan, stage, faults, say
        self._struck_at = time.monotonic()  # when the last fault ended

    async def run(self, steps: Iterator[Step], until: float, least: int) -> int:
        """Do steps until the time is over, `least` of them anyway. Give how many.

        What is found counts only if this comes to its end, which is the verdict.
        """
        done = 0
        try:
            await self._begin()
            until = max(until, time.monotonic() + self._faults_min_s)
            while not self._stage.failures and (time.monotonic() < until or done < least):
                await self._do(next(steps))
                done += 1
            async with asyncio.timeout(JUDGE_MAX_S):
                await self._end()
        finally:
            await self._stage.close()
        return done

    async def _begin(self) -> None:
        self._say(
            f"begins: nodes {self._plan.nodes}, workers {self._plan.workers}, "
            f"{self._plan.rate_per_s} requests/s"
        )
        async with asyncio.timeout(BEGIN_MAX_S):
            await self._stage.begin()
            self._note_recovery(["the start"], await self._stage.recovered(time.monotonic()))

    async def _do(self, step: Step) -> None:
        """Do the faults of a step at once, wait until it is over, and be quiet."""
        kinds = [kind for kind in step.kinds if kind in self._faults]
        begun_at = time.monotonic()
        async with asyncio.timeout(FAULT_MAX_S), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._do_one(kind, f"{step.seed}/{number}"))
                for number, kind in enumerate(kinds)
            ]
        struck = [at for task in tasks if (at := task.result()) is not None]
        since = max(struck, default=begun_at)
        took = await self._stage.recovered(since)
        self._note_recovery(kinds, took)
        if kinds and len(struck) == len(kinds):  # else what it was is unknown
            label = label_of(kinds[0], self._plan.nodes) if len(kinds) == 1 else TOGETHER
            self.found.recoveries[label].append(math.inf if took is None else took)
        self._struck_at = since
        self._stage.send_late_ones()
        await self._stage.settle()
        await asyncio.sleep(step.quiet_s)

    async def _do_one(self, kind: str, seed: str) -> float | None:
        """Give when it ended; nothing if it was not done."""
        draw = random.Random(seed)  # noqa: S311 - a plan, not a secret
        label = label_of(kind, self._plan.nodes)
        try:
            done = await self._faults[kind](draw)
        except NotDoneError as reason:
            self.found.not_done[label] += 1
            self._say(f"{kind}: not done, {reason}")
            return None
        self.found.faults[label] += 1
        self._say(f"{kind}: {done.details}")
        return done.ended_at

    def _note_recovery(self, causes: list[str], took: float | None) -> None:
        if took is None:
            self._disagree(1, [f"after {' and '.join(causes)}: no answer within {LIMIT_S:.0f} s"])
        else:
            self._say(f"recovered after {took:.1f} s")

    async def _end(self) -> None:
        """Stop the load, wait until all is decided, and let it be judged."""
        await self._stage.end_load()
        failures = self._stage.failures
        self._disagree(len(failures), failures)
        if left := await self._stage.undecided(self._struck_at + UNDECIDED_MAX_S):
            text = f"{left} requests are undecided {UNDECIDED_MAX_S:.0f} s after the last fault"
            self._disagree(left, [text])
        verdict = await self._stage.judge()
        self._disagree(verdict.disagreements, verdict.lines)
        self._say(f"judged: {', '.join(f'{n} {what}' for what, n in verdict.totals.items())}")
        nodes = "node" if self._plan.nodes == 1 else "nodes"
        self.found.rounds[f"with {self._plan.nodes} {nodes}"] += 1
        self.found.requests.update(self._stage.sent)
        self.found.totals.update(self._stage.seen)
        self.found.totals.update(verdict.totals)

    def _disagree(self, count: int, lines: list[str]) -> None:
        where = f"round {self._plan.number} of seed {self._plan.seed}, kept in {self._stage.folder}"
        self.found.disagreements += count
        self.found.lines += [f"{line} ({where})" for line in lines]
        for line in lines:
            self._say(f"DISAGREEMENT {line}")

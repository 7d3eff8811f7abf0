"""Does one round after the other, and writes the report after each that was judged."""

import asyncio
import json
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tools.chaos.faults import FAULTS
from tools.chaos.folder import Folder
from tools.chaos.judging import JudgementFailedError
from tools.chaos.plan import OPENING_STEPS, Round, Step, plan_rounds, plan_steps
from tools.chaos.report import Report
from tools.chaos.rounds import FAULTS_MIN_S, Fault, Playable, Running
from tools.chaos.stage import Stage
from tools.kafka.errors import JarsUnavailableError, NoJavaError, WrongJarError

CANNOT_BEGIN = (NoJavaError, JarsUnavailableError, WrongJarError)

Set = Callable[[Path, Round], tuple[Playable, Mapping[str, Fault]]]


@dataclass(frozen=True)
class Asked:
    """What a run is to be."""

    minutes: float
    seed: int
    report: Path | None = None  # a file for it, in Markdown; beside it one in JSON
    faults_min_s: float = FAULTS_MIN_S  # in each round, however long its start took
    steps: Callable[[int], Iterator[Step]] = plan_steps


def set_stage(folder: Path, plan: Round) -> tuple[Playable, Mapping[str, Fault]]:
    """Make a fresh system, and the faults that strike it."""
    stage = Stage(folder, plan)
    return stage, {kind: partial(do, stage.scene) for kind, do in FAULTS.items()}


class Series:
    """A run: one round after the other. The report grows by each round that was judged."""

    def __init__(self, folder: Folder, asked: Asked, make: Set = set_stage) -> None:
        self.report = Report(seeds=[asked.seed])
        self.is_interrupted = False
        self._folder, self._asked, self._make = folder, asked, make
        self._begun = time.monotonic()
        self._round = 0

    async def run(self) -> None:
        """Do all rounds. Raises one of CANNOT_BEGIN where Kafka cannot run on this machine."""
        rounds = plan_rounds(self._asked.seed, self._asked.minutes)
        steps, done = self._asked.steps(self._asked.seed), 0
        self._say(f"seed {self._asked.seed}, {len(rounds)} rounds, in {self._folder.path}")
        for plan in rounds:
            self._round = plan.number
            done += await self._do(plan, steps, OPENING_STEPS - done if plan is rounds[-1] else 0)
            self.write()

    def write(self) -> None:
        """Write the report as it is now where it was asked for."""
        if self._asked.report:
            _replace(self._asked.report, self.report.as_markdown())
            _replace(self._asked.report.with_suffix(".json"), json.dumps(self.report.as_json()))

    async def _do(self, plan: Round, steps: Iterator[Step], least: int) -> int:
        """Do a round, and count it if it came to its verdict. Give how many steps were done."""
        place, done = self._folder.path / f"round-{plan.number}", 0
        try:
            done = await self._play(place, plan, steps, least)
        except CANNOT_BEGIN:
            raise
        except asyncio.CancelledError:
            self._set_aside("it was interrupted")
            raise
        except JudgementFailedError as problem:
            self._keep(place, problem)
            self._set_aside(f"{problem}, kept in {place}")
        except Exception as problem:  # noqa: BLE001 - the other rounds are worth their time
            self._keep(place, problem)
            self._set_aside(f"{_told(problem)}, see {place}")
        return done

    async def _play(self, place: Path, plan: Round, steps: Iterator[Step], least: int) -> int:
        begun = time.monotonic()
        stage, faults = self._make(place, plan)
        possible = {kind: do for kind, do in faults.items() if kind not in self.report.not_run}
        running = Running(plan, stage, possible, self._say, self._asked.faults_min_s)
        done = await running.run(steps, self._begun + plan.number * plan.lasts_s, least)
        running.found.minutes = (time.monotonic() - begun) / 60
        self.report.add(running.found)
        if running.found.disagreements:
            self._folder.keep()
        else:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        return done

    def _keep(self, place: Path, problem: Exception) -> None:
        self._folder.keep()
        place.mkdir(exist_ok=True)
        (place / "problem.txt").write_text("".join(traceback.format_exception(problem)))

    def _set_aside(self, why: str) -> None:
        self.report.unjudged.append(f"round {self._round} of seed {self._asked.seed}, {why}.")
        self._say(self.report.unjudged[-1])

    def _say(self, text: str) -> None:
        elapsed_s = time.monotonic() - self._begun
        print(f"{elapsed_s:7.1f} s  round {self._round}  {text}", flush=True)


def _told(problem: BaseException) -> str:
    """Name what went wrong, behind whatever groups it came in."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    return " ".join(repr(problem).split())


def _replace(file: Path, text: str) -> None:
    """Write it whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text)
    new.replace(file)

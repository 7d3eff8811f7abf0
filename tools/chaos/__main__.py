"""Breaks a system of its own for some minutes in every way that it must stand, and judges it.

Exit code 0: the promise was kept; 1: it was not, and the folder with everything is kept;
2: a round could not be judged, and a line says why; 130: interrupted.
"""

import argparse
import asyncio
import json
import logging
import math
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.chaos.faults import FAULTS, impossible_faults
from tools.chaos.folder import Folder, part_from_mounts
from tools.chaos.plan import GROUPS, Round, Step, plan_rounds, plan_steps
from tools.chaos.report import CANNOT_GO_ON, Report
from tools.chaos.rounds import Running
from tools.kafka.errors import (
    JarsUnavailableError,
    NoJavaError,
    WrongJarError,
)

SEED_MAX = 1_000_000
INTERRUPTED = 130
OPENING_STEPS = len(GROUPS) // 2


def main() -> int:
    """Give the exit code."""
    asked = _arguments()
    if asked.sum:
        report = Report.sum_of(asked.sum)
        print(report.as_markdown(), end="")
        return report.exit_code
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each try anew
    with Folder() as folder:
        chaos = Chaos(folder, asked.minutes, asked.seed, asked.report)
        chaos.report.not_run.update(impossible_faults(may_mount=part_from_mounts()))
        try:
            asyncio.run(_until_interrupted(chaos))
        except (NoJavaError, JarsUnavailableError, WrongJarError) as problem:
            print(f"Chaos cannot begin: {problem}", file=sys.stderr)
            return CANNOT_GO_ON
    chaos.write()
    print(chaos.report.as_markdown())
    return INTERRUPTED if chaos.is_interrupted else chaos.report.exit_code


class Chaos:
    """A run: one round after the other. The report grows by each round that was judged."""

    def __init__(self, folder: Folder, minutes: float, seed: int, file: Path | None) -> None:
        self.report = Report(seeds=[seed])
        self.is_interrupted = False
        self._folder, self._minutes, self._seed, self._file = folder, minutes, seed, file
        self._begun = time.monotonic()
        self._round = 0

    async def run(self) -> None:
        """Do all rounds. Raises EmbeddedKafkaError where Kafka cannot run on this machine."""
        rounds, steps = plan_rounds(self._seed, self._minutes), plan_steps(self._seed)
        done = 0
        self._say(f"seed {self._seed}, {len(rounds)} rounds, in {self._folder.path}")
        for plan in rounds:
            self._round = plan.number
            done += await self._do(plan, steps, OPENING_STEPS - done if plan is rounds[-1] else 0)
            self.write()

    async def _do(self, plan: Round, steps: Iterator[Step], least: int) -> int:
        """Do a round, and count it if it came to its verdict. Give how many steps were done."""
        begun, place = time.monotonic(), self._folder.path / f"round-{plan.number}"
        until = self._begun + plan.number * plan.lasts_s
        faults = {kind: do for kind, do in FAULTS.items() if kind not in self.report.not_run}
        running, done = Running(place, plan, faults, self._say), 0
        try:
            done = await running.run(steps, until, least)
        except (NoJavaError, JarsUnavailableError, WrongJarError):
            raise
        except asyncio.CancelledError:
            self._set_aside("it was interrupted")
            raise
        except Exception as problem:  # noqa: BLE001 - the other rounds are worth their time
            self._folder.keep()
            (place / "problem.txt").write_text("".join(traceback.format_exception(problem)))
            self._set_aside(f"{problem!r}, see {place}")
        else:
            running.found.minutes = (time.monotonic() - begun) / 60
            self.report.add(running.found)
            if running.found.disagreements:
                self._folder.keep()
        return done

    def _set_aside(self, why: str) -> None:
        self.report.unjudged.append(f"round {self._round}, {why}.")
        self._say(self.report.unjudged[-1])

    def write(self) -> None:
        """Write the report as it is now where it was asked for."""
        if self._file:
            self._file.write_text(self.report.as_markdown())
            self._file.with_suffix(".json").write_text(json.dumps(self.report.as_json()))

    def _say(self, text: str) -> None:
        elapsed_s = time.monotonic() - self._begun
        print(f"{elapsed_s:7.1f} s  round {self._round}  {text}", flush=True)


async def _until_interrupted(chaos: Chaos) -> None:
    """Run to the end, or until a signal; then everything stops orderly."""
    running = asyncio.create_task(chaos.run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        chaos.is_interrupted = True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--minutes", type=_minutes, default=10.0, help="how long (default: 10)")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(SEED_MAX), help="what fixes the plan"
    )
    parser.add_argument(
        "--report", type=_new_report, metavar="FILE.md", help="write the report there too"
    )
    parser.add_argument(
        "--sum", type=_old_report, nargs="+", metavar="REPORT.json", help="add up, run nothing"
    )
    return parser.parse_args()


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time")
    return minutes


def _new_report(text: str) -> Path:
    path = Path(text).absolute()
    if path.suffix == ".json" or path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be the report; beside it lies a .json")
    return path


def _old_report(text: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(Path(text).read_text())
        Report.from_json(content)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise argparse.ArgumentTypeError(f"{text} is no report of chaos in JSON") from error
    return content


if __name__ == "__main__":
    sys.exit(main())

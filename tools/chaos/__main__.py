"""Breaks a system of its own for some minutes in every way that it must stand, and judges it.

Exit code 0: the promise was kept; 1: it was not, and the folder with everything is kept;
2: it could not go on, and a line says why; 130: interrupted.
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
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from tools.chaos.faults import FAULTS, impossible_faults
from tools.chaos.folder import Folder, part_from_mounts
from tools.chaos.plan import GROUPS, plan_rounds, plan_steps
from tools.chaos.report import Report
from tools.chaos.rounds import Running
from tools.kafka.errors import (
    EmbeddedKafkaError,
    JarsUnavailableError,
    NoJavaError,
    WrongJarError,
)

SEED_MAX = 1_000_000
CANNOT_GO_ON, INTERRUPTED = 2, 130
OPENING_STEPS = len(GROUPS) // 2


def main() -> int:
    """Give the exit code."""
    asked = _arguments()
    if asked.sum:
        report = Report.sum_of(asked.sum)
        print(report.as_markdown(), end="")
        return report.exit_code
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each try anew
    report = Report(seeds=[asked.seed])
    with Folder() as folder:
        impossible = impossible_faults(may_mount=part_from_mounts())
        report.not_run.update(impossible)
        why = _run(Chaos(folder, asked.minutes, asked.seed, report))
    if why:
        print(f"Chaos could not go on: {why}", file=sys.stderr)
    if why and not report.faults:
        return CANNOT_GO_ON
    print(report.as_markdown())
    if asked.report:
        asked.report.write_text(report.as_markdown())
        asked.report.with_suffix(".json").write_text(json.dumps(report.as_json()))
    return report.exit_code or (CANNOT_GO_ON if why else INTERRUPTED if report.interrupted else 0)


def _run(chaos: "Chaos") -> str:
    """Give why it could not go on, nothing if it came to its end or was interrupted."""
    why = ""
    try:
        asyncio.run(_until_interrupted(chaos))
    except* (EmbeddedKafkaError, KafkaError, KafkaException, TimeoutError) as problems:
        why = str(problems.exceptions[0])
        chaos.report.interrupted = 1
    return why


class Chaos:
    """A run: one round after the other."""

    def __init__(self, folder: Folder, minutes: float, seed: int, report: Report) -> None:
        self.report = report
        self._folder, self._minutes, self._seed = folder, minutes, seed
        self._begun = time.monotonic()
        self._round = 0

    async def run(self) -> None:
        """Do all rounds."""
        faults = {kind: do for kind, do in FAULTS.items() if kind not in self.report.not_run}
        rounds, steps = plan_rounds(self._seed, self._minutes), plan_steps(self._seed)
        done = 0
        self._say(f"seed {self._seed}, {len(rounds)} rounds, in {self._folder.path}")
        for plan in rounds:
            self._round = plan.number
            until = self._begun + plan.number * plan.lasts_s
            least = OPENING_STEPS - done if plan is rounds[-1] else 0
            place = self._folder.path / f"round-{plan.number}"
            running = Running(place, plan, self.report, faults, self._say)
            try:
                done += await running.run(steps, until, least)
            except (NoJavaError, JarsUnavailableError, WrongJarError):
                raise
            except Exception:  # what led to it is to be seen
                self._folder.keep()
                raise
            finally:
                self.report.minutes = (time.monotonic() - self._begun) / 60
            if self.report.violations:
                self._folder.keep()

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
        chaos.report.interrupted = 1


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

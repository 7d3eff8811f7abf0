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
from pathlib import Path
from typing import Any

from tools.chaos.faults import impossible_faults
from tools.chaos.folder import Folder, part_from_mounts
from tools.chaos.report import CANNOT_GO_ON, Report
from tools.chaos.series import CANNOT_BEGIN, Asked, Series

SEED_MAX = 1_000_000
INTERRUPTED = 130


def main() -> int:
    """Give the exit code."""
    asked = _arguments()
    if asked.sum:
        report = Report.sum_of(asked.sum)
        print(report.as_markdown(), end="")
        return report.exit_code
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each try anew
    with Folder() as folder:
        series = Series(folder, Asked(asked.minutes, asked.seed, asked.report))
        series.report.not_run.update(impossible_faults(may_mount=part_from_mounts()))
        try:
            asyncio.run(until_interrupted(series))
        except CANNOT_BEGIN as problem:
            print(f"Chaos cannot begin: {problem}", file=sys.stderr)
            return CANNOT_GO_ON
    series.write()
    print(series.report.as_markdown())
    return INTERRUPTED if series.is_interrupted else series.report.exit_code


async def until_interrupted(series: Series) -> None:
    """Run to the end, or until a signal; then everything stops orderly."""
    running = asyncio.create_task(series.run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        series.is_interrupted = True


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
    is_other = path.exists() and not path.is_file()
    if path.suffix == ".json" or is_other or not path.parent.is_dir():
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

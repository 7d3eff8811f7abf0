"""What the caller of verify may say; a mistake ends it with exit code 2 and one line."""

import argparse
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tools.verify.memory import Acknowledged


def read_arguments(doc: str | None, given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.verify",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--bootstrap-servers", help="Kafka, as host:port (default: ADJUST_BOOTSTRAP_SERVERS)"
    )
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("ADJUST_HOME") or ".adjust"),
        help="folder with finance.db, the warehouse, dwh, and worker-<n> (default: ADJUST_HOME)",
    )
    parser.add_argument(
        "--finance-url",
        default=os.environ.get("ADJUST_FINANCE_URL"),
        help="SQLAlchemy URL of Finance's database (default: ADJUST_FINANCE_URL)",
    )
    parser.add_argument(
        "--worker-home",
        type=_folder,
        action="append",
        help="folder with worker-<n>/unit-<p>.db; may be given several times (default: --home)",
    )
    parser.add_argument(
        "--acknowledged",
        type=_acknowledged,
        default=Acknowledged(lambda: ()),
        metavar="FILE",
        help="requests that Kafka acknowledged, one 'account requestId' a line: each must have "
        "its result",
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="how long requests that are not decided yet are waited for (default: 0)",
    )
    parser.add_argument("--json", type=_new_file, metavar="FILE", help="write the report there too")
    asked = parser.parse_args(given)
    asked.worker_home = asked.worker_home or [asked.home]
    return asked


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return path


def _new_file(text: str) -> Path:
    path = Path(text).absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} cannot be a file")
    return path


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return seconds


def _acknowledged(text: str) -> Acknowledged:
    try:
        return Acknowledged(partial(_pairs, text))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise argparse.ArgumentTypeError(f"{text} is no UTF-8 text") from error


def _pairs(path: str) -> Iterator[tuple[str, str]]:
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match line.split():
                case [account, request_id]:
                    yield account, request_id
                case []:
                    continue
                case _:
                    raise argparse.ArgumentTypeError(
                        f"{path}, line {number} is not 'account requestId': {line.strip()[:80]}"
                    )

"""The arguments of the bench; QUICK=1 gives sizes smaller defaults, and leaves parts out."""

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path

from tools.bench.batching import USAGE_TYPES

READS, SUBSCRIBERS, BATCHES = "reads", "subscribers", "batches"
ENGINE_PART, REST_PART, WORKLOADS, SIZED = "engine", "rest", "workloads", "sizes"
SCALING = "scaling"
PEERS, LATENCY, RESTART = "peers", "latency", "restart"
PARTS = (
    *(SUBSCRIBERS, BATCHES, READS),
    *(ENGINE_PART, REST_PART, WORKLOADS, SCALING),
    *(PEERS, LATENCY, RESTART),
    SIZED,
)
OF_LARGE_SIZES = {ENGINE_PART, WORKLOADS, SCALING, SIZED}  # small ones say nothing there
SECONDS_MIN = 0.1  # a few calls at the lowest rate
SIZES: Sequence[tuple[str, int, float, str]] = (  # name, default, default of a quick run, meaning
    ("accounts", 10_000, 1_000, "accounts"),
    ("events", 100_000, 5_000, "chargeable events on them"),
    ("requests", 200_000, 10_000, "preloaded requests a round"),
    ("rounds", 2, 1, "rounds of engine and peer"),
    ("calls", 200, 50, "calls of POST"),
    ("peer-events", 1_000_000, 10_000, "chargeable events beside the peers"),
    ("peer-requests", 300_000, 15_000, "preloaded requests a round beside the peers"),
    ("peer-rounds", 3, 1, "rounds of engine and all peers"),
    ("paced-seconds", 20, 2, "seconds of requests at a steady rate"),
    ("paced-rounds", 3, 1, "rounds of those, and of kills"),
    ("workload-requests", 60_000, 4_000, "preloaded requests of each kind a round"),
    ("workload-rounds", 3, 1, "rounds of those"),
    ("scaling-requests", 60_000, 15_000, "requests sent at once to one and to two workers"),
    ("few-events", 10_000, 1_000, "chargeable events of a small state"),
    ("many-events", 1_000_000, 10_000, "chargeable events of a large state, up to ten million"),
    ("size-requests", 100_000, 4_000, "preloaded requests a round beside both"),
    ("size-rounds", 3, 1, "rounds of those"),
    ("search-events", 1_000_000, 10_000, "chargeable events that are searched"),
    ("search-accounts", 50_000, 500, "accounts of those"),
    ("search-adjustments", 100_000, 1_000, "adjustments of those, two business transactions each"),
    ("search-seconds", 20, 0.3, "seconds for which each kind of search is made"),
    (
        "batch-items",
        1_000_000,
        10_000,
        "chargeable events that a batch adjusts; a dry run has a tenth",
    ),
    ("batch-accounts", 10_000, 1_000, "accounts of those"),
    ("batch-seconds", 20, 1, "seconds of single requests beside nothing"),
)


def read_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read arguments and QUICK; `parts` are those to measure, `is_quick` says which sizes.

    Those of the command line are read where none are given. Ends the program where they
    contradict each other.
    """
    is_quick = os.environ.get("QUICK", "0") not in {"", "0"}
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description="Measures subscribers, batches, searches, REST, and a worker beside its peers.",
        epilog="QUICK=1: smaller sizes where none are given, only peers that are fast, and only "
        "parts for which small sizes are enough.",
    )
    parts = usual_parts(is_quick=is_quick)
    for name, usual, quick, meaning in SIZES:
        default = quick if is_quick else usual
        parser.add_argument(
            f"--{name}",
            type=seconds if name.endswith("-seconds") else count,
            default=default,
            help=f"{meaning} (default %(default)s)",
        )
    parser.add_argument(
        "--only",
        choices=PARTS,
        nargs="+",
        dest="parts",
        metavar="PART",
        default=parts,
        help=f"these parts alone, of {', '.join(PARTS)} (default {' '.join(parts)})",
    )
    parser.add_argument("--page", type=Path, help="Markdown file to write the figures to")
    asked = parser.parse_args(given)
    if asked.batch_items < len(USAGE_TYPES) * asked.batch_accounts:
        parser.error(f"--batch-items: at least {len(USAGE_TYPES)} for each of --batch-accounts")
    for name in ("events", "peer_events", "few_events", "many_events"):
        if getattr(asked, name) < asked.accounts:
            parser.error(f"--{name.replace('_', '-')}: at least one for each of --accounts")
    if asked.page and not asked.page.parent.is_dir():
        parser.error(f"--page: there is no folder {asked.page.parent}")
    asked.is_quick = is_quick
    return asked


def usual_parts(*, is_quick: bool) -> Sequence[str]:
    """Give the parts that are measured where none are named."""
    return tuple(part for part in PARTS if part not in OF_LARGE_SIZES) if is_quick else PARTS


def count(text: str) -> int:
    """Read how many."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return int(text)


def seconds(text: str) -> float:
    """Read how long."""
    if not SECONDS_MIN <= float(text) < math.inf:
        raise argparse.ArgumentTypeError(f"at least {SECONDS_MIN} seconds")
    return float(text)


def command_of(asked: argparse.Namespace) -> str:
    """Give the command that asks for this, without what goes without saying."""
    words = ["QUICK=1"] if asked.is_quick else []
    words.append("python -m tools.bench")
    if {*asked.parts} != {*usual_parts(is_quick=asked.is_quick)}:
        words += ["--only", *asked.parts]
    for name, usual, quick, _ in SIZES:
        size = getattr(asked, name.replace("-", "_"))
        if size != (quick if asked.is_quick else usual):
            words.append(f"--{name} {str(size).removesuffix('.0')}")
    if asked.page:  # where it lies on this machine says nothing to others
        words.append(f"--page {asked.page.name if asked.page.is_absolute() else asked.page}")
    return " ".join(words)


def lacking_parts(asked: argparse.Namespace) -> list[str]:
    """Give the parts that are not to be measured."""
    return [part for part in PARTS if part not in asked.parts]

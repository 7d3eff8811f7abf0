"""Runs seeds by hand, tells the story of one, or says which wrong variants are caught.

usage: python -m tests.simulation --seeds 1000000 [--from N] [--processes 2]
       python -m tests.simulation --seed N
       python -m tests.simulation --smallest | --mutants
"""

import argparse
import multiprocessing
import sys
import time
from itertools import chain

from tests.simulation.choices import Choices, Fixed, Seeded
from tests.simulation.mutants import table
from tests.simulation.runs import rare_collection, violation_of
from tests.simulation.smallest import all_runs

AT_ONCE = 500  # seeds between two lines of progress


def main() -> int:
    """Answers with the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell the story of this run")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many to run")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--smallest", action="store_true", help="all runs of the smallest size")
    parser.add_argument("--mutants", action="store_true", help="which wrong variants are caught")
    asked = parser.parse_args()
    if asked.seed is not None:
        return tell(Seeded(asked.seed))
    if asked.mutants:
        sys.stdout.writelines(f"{line}\n" for line in table())
        return 0
    if asked.smallest:
        return run_smallest()
    return run_seeds(asked.first, asked.seeds, asked.processes)


def tell(choices: Choices) -> int:
    """The story of one run, step by step."""
    story: list[str] = []
    violation = violation_of(choices, story=story)
    sys.stdout.write(f"{choices.sizes}\n")
    sys.stdout.writelines(f"{fault}\n" for fault in choices.faults)
    sys.stdout.writelines(f"{line}\n" for line in story)
    sys.stdout.write(f"BROKEN {violation}\n" if violation else "no promise was broken\n")
    return int(violation is not None)


def run_seeds(first: int, count: int, processes: int) -> int:
    """As many seeds as asked for; ends at the first that breaks a promise."""
    began, done = time.monotonic(), 0
    parts = [
        range(at, min(at + AT_ONCE, first + count)) for at in range(first, first + count, AT_ONCE)
    ]
    with multiprocessing.Pool(processes) as pool:
        for broken, size in pool.imap_unordered(first_broken, parts):
            if broken is not None:
                sys.stdout.write(f"seed {broken} breaks a promise:\n")
                return tell(Seeded(broken))
            done += size
            rate = done / (time.monotonic() - began)
            sys.stdout.write(f"\r{done:,} of {count:,} seeds, {rate:,.0f} a second")
            sys.stdout.flush()
    sys.stdout.write(f"\nno promise was broken by seeds {first} to {first + count - 1}\n")
    return 0


def first_broken(seeds: range) -> tuple[int | None, int]:
    """The first seed that breaks a promise, and how many were tried."""
    with rare_collection():
        return next((seed for seed in seeds if violation_of(Seeded(seed))), None), len(seeds)


def run_smallest() -> int:
    """All runs of the smallest size; ends at the first that breaks a promise."""
    began, count = time.monotonic(), 0
    for choices in chain(all_runs(1), all_runs(2)):
        count += 1
        if violation_of(choices):
            return tell(Fixed(choices.sizes, choices.written, choices.faults))
    seconds = time.monotonic() - began
    sys.stdout.write(f"no promise was broken by {count:,} runs in {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

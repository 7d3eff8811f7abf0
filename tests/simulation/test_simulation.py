"""Faults of all kinds between any two steps of the protocol: no promise is broken."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.choices import Seeded
from tests.simulation.mutants import MUTANTS
from tests.simulation.runs import rare_collection, run, violation_of
from tests.simulation.smallest import all_runs

SEEDS, PARTS = 20_000, 4


@pytest.fixture(autouse=True)
def _rare_collection() -> Iterator[None]:
    with rare_collection():
        yield


@pytest.mark.parametrize("part", range(PARTS))
def test_no_seed_breaks_a_promise(part: int) -> None:
    for seed in range(part * SEEDS // PARTS, (part + 1) * SEEDS // PARTS):
        violation = violation_of(Seeded(seed))
        assert violation is None, f"python -m tests.simulation --seed {seed}: {violation}"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("workers", [1, 2])
def test_no_run_of_the_smallest_size_breaks_a_promise(workers: int) -> None:
    for choices in all_runs(workers):
        violation = violation_of(choices)
        assert violation is None, f"{choices.sizes} {choices.faults}: {violation}"


def test_a_seed_tells_the_same_story_each_time() -> None:
    first: list[str] = []
    second: list[str] = []
    run(Seeded(7), story=first)
    run(Seeded(7), story=second)
    assert first
    assert first == second


def test_the_runs_meet_what_they_are_for() -> None:
    story: list[str] = []
    for seed in range(300):
        run(Seeded(seed), story=story)
    text = "\n".join(story)
    for words in (
        "is killed",
        "wakes up",
        "no answer to",
        "cancels its fetch",
        "has stopped",
        "drops its store",
        "older copy",
        "lost the tail",
        "times out",
        "compacted",
        "waits: a transaction is open",
        "dies in unit",
    ):
        assert words in text


def test_a_seed_is_told_in_steps_that_a_person_can_follow() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "7"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "is assigned" in told.stdout
    assert "committed" in told.stdout
    assert told.stdout.endswith("no promise was broken\n")


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_variant_is_caught(name: str) -> None:
    mutant = MUTANTS[name]
    violation = violation_of(Seeded(mutant.seed), mutant.variant)
    assert violation, "another seed may show it now: python -m tests.simulation --mutants"
    assert violation.check == mutant.check


def test_the_docs_tell_which_wrong_variant_is_caught_by_what() -> None:
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    told = page.read_text().replace("`", "").splitlines()
    table = told[told.index("| what is wrong | caught by | at seed |") + 2 :]
    caught = [f"| {name} | {each.check} | {each.seed} |" for name, each in MUTANTS.items()]
    assert table[: table.index("")] == caught

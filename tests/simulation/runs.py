"""One run from its beginning to its judgement."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulation.actors import Violation
from tests.simulation.checks import check
from tests.simulation.choices import Choices, Seeded
from tests.simulation.faults import plan_faults
from tests.simulation.variants import AS_WRITTEN, Variant
from tests.simulation.world import World


def run(choices: Choices, variant: Variant = AS_WRITTEN, story: list[str] | None = None) -> World:
    """Raises Violation."""
    world = World(choices, variant, story)
    plan_faults(world)
    world.run()
    check(world)
    return world


def violation_of(
    choices: Choices, variant: Variant = AS_WRITTEN, story: list[str] | None = None
) -> Violation | None:
    """The promise that a run broke, if it broke one. Whatever else is raised breaks one as well."""
    try:
        run(choices, variant, story)
    except Violation as violation:
        return violation
    return None


@contextmanager
def rare_collection() -> Iterator[None]:
    """A run leaves cycles behind, and is soon over: look for them seldom, for a third more runs."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def least_seed(variant: Variant, seeds: int) -> tuple[int, Violation] | None:
    """The first seed whose run breaks a promise."""
    for seed in range(seeds):
        violation = violation_of(Seeded(seed), variant)
        if violation:
            return seed, violation
    return None

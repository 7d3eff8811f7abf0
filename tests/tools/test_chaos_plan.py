"""What chaos does follows from its seed alone, and leaves no kind of fault out."""

from collections import Counter
from itertools import islice

import pytest

from tools.chaos.faults import FAULTS, impossible_faults
from tools.chaos.plan import GROUPS, KINDS, Step, plan_rounds, plan_steps

PACK = sum(kind.weight for kind in KINDS)


def first_steps(seed: int, count: int = 400) -> list[Step]:
    return list(islice(plan_steps(seed), count))


def dealt(seed: int, count: int = 400) -> list[str]:
    return [kind for step in first_steps(seed, count) for kind in step.kinds]


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    assert first_steps(7) == first_steps(7)
    assert first_steps(7) != first_steps(8)
    assert plan_rounds(7, 60) == plan_rounds(7, 60)
    assert plan_rounds(7, 60) != plan_rounds(8, 60)


def test_every_planned_fault_can_be_done_and_every_fault_is_planned() -> None:
    assert {kind.name for kind in KINDS} == FAULTS.keys()
    assert impossible_faults(may_mount=False).keys() <= FAULTS.keys()
    assert "disk full" in impossible_faults(may_mount=False)


@pytest.mark.parametrize("seed", range(20))
def test_the_first_steps_have_a_fault_of_each_group(seed: int) -> None:
    group_of = {kind.name: kind.group for kind in KINDS}

    opening = dealt(seed, len(GROUPS) // 2)

    assert Counter(group_of[kind] for kind in opening) == dict.fromkeys(GROUPS, 1)


def test_after_them_each_pack_has_every_kind_as_often_as_it_weighs() -> None:
    after = dealt(3)[len(GROUPS) :]

    for start in range(0, 5 * PACK, PACK):
        assert Counter(after[start : start + PACK]) == {kind.name: kind.weight for kind in KINDS}


def test_five_hundred_faults_are_of_the_kinds_that_the_proof_asks_for() -> None:
    kinds = Counter(dealt(5)[:500])

    def of(group: str) -> int:
        return sum(kinds[kind.name] for kind in KINDS if kind.group == group)

    assert of("worker kills") >= 80
    assert of("broker restarts") >= 40
    assert of("freezes") >= 60
    assert of("network faults") >= 60


@pytest.mark.parametrize(("minutes", "rounds", "of_three"), [(2, 2, 1), (20, 3, 1), (120, 16, 4)])
def test_a_quarter_of_the_rounds_and_one_at_least_has_three_nodes(
    minutes: int, rounds: int, of_three: int
) -> None:
    planned = plan_rounds(1, minutes)

    assert len(planned) == rounds
    assert sum(one.nodes == 3 for one in planned) == of_three
    assert sum(one.lasts_s for one in planned) == pytest.approx(minutes * 60)

"""Which unit decides while others have something to decide too."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from streams.delivery.deciding import begin
from streams.delivery.intake import Slice
from streams.delivery.plan import Plan
from streams.delivery.protocol import Progress
from streams.delivery.steps import no_point
from streams.delivery.unit import SMALL_MAX, Unit

PART = 2 * SMALL_MAX
NAMES, LIMIT_S = "abc", 30.0


class Producer:
    """Takes whatever is sent."""

    batches = list[Any]

    async def begin(self, _places: Any) -> None: ...
    async def send(self, _place: Any, _records: Any) -> None: ...
    async def commit(self) -> None: ...
    async def confirm(self) -> dict[Any, int]:
        return {}


def plan_of(decided: list[str]) -> Plan:
    return Plan(
        app_id="app",
        partitions=len(NAMES),
        inputs={"requests": lambda work, _record: decided.append(NAMES[work.unit])},
        outputs=(),
        dead_letters={},
        tables={},
        progress_changelog="progress-changelog",
    )


def unit_of(delivery: Any, number: int, at: int) -> Unit:
    unit = Unit(delivery, number)
    progress = Progress("C1", {}, next={"requests": at}, line=(("aaaa", 1),))
    unit.known, unit.producer = begin(delivery.plan, progress), Producer()  # type: ignore[assignment]
    unit.store = SimpleNamespace(write=lambda *_: None)  # type: ignore[assignment]
    return unit


def slices_of(counts: Sequence[int]) -> list[Slice]:
    ends = accumulate(counts)
    return [
        Slice("requests", at, [SimpleNamespace(offset=n) for n in range(at, end)], end, 1)
        for at, end in pairwise([0, *ends])
    ]


@pytest.fixture
def order(tmp_path: Path) -> Any:
    """Give whose records are decided in which order; `before`: whose were, before all begin."""

    async def give(*slices: Sequence[int], before: str = "") -> str:
        decided: list[str] = []
        delivery = SimpleNamespace(
            plan=plan_of(decided),
            folder=tmp_path,
            memory=None,
            turn=asyncio.Lock(),
            point=no_point,
            metrics=SimpleNamespace(committed=lambda *_: None),
        )
        async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
            for number, counts in enumerate(slices):
                at = sum(counts) if NAMES[number] in before else 0
                group.create_task(unit_of(delivery, number, at)._decide(slices_of(counts)))
        assert not delivery.turn.locked()
        return "".join(decided)

    return give


async def test_a_large_transaction_is_decided_before_the_next_large_one_begins(order: Any) -> None:
    assert await order([PART, PART], [PART, PART]) == "a" * 2 * PART + "b" * 2 * PART


async def test_many_small_slices_make_a_large_transaction(order: Any) -> None:
    small = [SMALL_MAX] * 4
    assert await order(small, small) == "a" * 4 * SMALL_MAX + "b" * 4 * SMALL_MAX


async def test_a_small_one_waits_for_no_large_one(order: Any) -> None:
    decided = await order([2 * PART], [2 * PART], [SMALL_MAX])
    assert decided.rindex("c") < decided.rindex("a")
    assert decided.replace("c", "") == "a" * 2 * PART + "b" * 2 * PART


async def test_who_has_decided_all_of_it_before_keeps_nobody_waiting(order: Any) -> None:
    assert await order([PART], [PART], [PART], before="b") == "a" * PART + "c" * PART

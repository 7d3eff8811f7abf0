"""Which unit decides while others have something to decide too."""

import asyncio
from types import SimpleNamespace
from typing import Any

from streams.delivery.deciding import Decide
from streams.delivery.unit import SMALL_MAX, _Taken

LARGE = 4 * SMALL_MAX


def taken(delivery: Any, decided: list[Any]) -> Any:
    def handle(_work: object, record: Any) -> None:
        decided.append(record)

    plan = SimpleNamespace(inputs={"topic": handle})
    return _Taken(SimpleNamespace(delivery=delivery, plan=plan, producer=object()), object())  # type: ignore[arg-type]


async def order(*counts: int) -> str:
    """Give whose records were decided in which order, of units that begin at once."""
    decided: list[str] = []
    delivery = SimpleNamespace(turn=asyncio.Lock())
    async with asyncio.TaskGroup() as group:
        for name, count in zip("abc", counts, strict=False):
            step = Decide("topic", [name] * count)
            group.create_task(taken(delivery, decided)._decide(step))
    return "".join(decided)


async def test_a_large_transaction_is_decided_before_the_next_large_one_begins() -> None:
    assert await order(LARGE, LARGE) == "a" * LARGE + "b" * LARGE


async def test_a_small_one_waits_for_no_large_one() -> None:
    decided = await order(LARGE, LARGE, SMALL_MAX)
    assert decided.rindex("c") < decided.rindex("a")
    assert decided.replace("c", "") == "a" * LARGE + "b" * LARGE

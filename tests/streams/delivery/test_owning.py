"""The order of a rebalance."""

from typing import Any

import pytest

from streams.delivery.errors import Fatal
from streams.delivery.intake import Flow
from streams.delivery.owning import FenceAll, LetGo, bring_up, leave, own
from streams.delivery.protocol import Progress, Steps
from tests.streams.delivery.walking import kinds, walk


def test_units_stop_and_go_before_any_is_fenced() -> None:
    seen, _ = walk(own(Flow(), {1, 2}, {2: 3, 3: 3}, 3))
    assert kinds(seen) == ["Shut", "EndCatchUps", "StopUnits", "LetGo", "FenceAll"]
    assert LetGo(frozenset({1})) in seen
    assert FenceAll(frozenset({2, 3}), 1) in seen


def test_nothing_flows_under_an_earlier_number_once_partitions_were_assigned() -> None:
    flow = Flow()
    flow.resume(flow.begin_take_over())
    walk(own(flow, set(), {1: 1}, 1))
    assert not flow.passes(1)


def test_inputs_that_do_not_come_together_end_the_process_before_anything_is_fenced() -> None:
    seen: list[Any] = []
    with pytest.raises(Fatal, match=r"\[1\]"):
        seen.extend(own(Flow(), set(), {1: 2}, 3))
    assert not any(isinstance(step, FenceAll) for step in seen)


def test_a_unit_serves_at_the_end_of_its_take_over_under_the_number_of_that() -> None:
    progress = Progress("C1", {})

    def take_over() -> Steps:
        yield from ()
        return progress

    seen, _ = walk(bring_up(take_over(), 4))
    assert kinds(seen) == ["CaughtUp", "Serve"]
    assert (seen[-1].progress, seen[-1].take_over) == (progress, 4)


def test_a_stop_ends_running_transactions_and_lets_all_units_go() -> None:
    seen, _ = walk(leave({1, 2}))
    assert kinds(seen) == ["Shut", "EndCatchUps", "StopUnits", "LetGo"]
    assert seen[-1].numbers == {1, 2}

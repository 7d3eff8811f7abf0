"""The two gates of delivery, and what joins, repeats and is dropped."""

from types import SimpleNamespace

import pytest

from streams.delivery.errors import Fatal
from streams.delivery.intake import (
    BYTES_MAX,
    RECORDS_MAX,
    WAITING_BYTES_MAX,
    WAITING_MAX,
    Fetched,
    Flow,
    HandOver,
    Intake,
    Queue,
    Slice,
    check_owned,
    cut,
    deliver,
    misplaced,
    moved,
    unread,
)


def slice_of(start: int, end: int, take_over: int = 1, *, holes: tuple[int, ...] = ()) -> Slice:
    records = [SimpleNamespace(offset=n) for n in range(start, end) if n not in holes]
    return Slice("requests", start, records, end, take_over)


def opened() -> Intake:
    intake = Intake()
    intake.open(1, {"requests": 5})
    return intake


def test_a_shut_unit_wants_nothing_and_takes_nothing() -> None:
    intake = Intake()
    assert intake.wanted() == {}
    assert not intake.receive(slice_of(0, 3), "ticket")


def test_a_unit_wants_what_follows_on_what_it_was_handed() -> None:
    intake = opened()
    intake.hand_over(slice_of(5, 9))
    assert intake.wanted() == {"requests": 9}


def test_a_unit_with_too_much_waiting_is_left_out_until_it_has_decided() -> None:
    intake = opened()
    part = slice_of(5, 5 + WAITING_MAX)
    intake.hand_over(part)
    intake.receive(part, "ticket")
    assert intake.wanted() == {}
    intake.done(intake.take())
    assert intake.wanted() == {"requests": 5 + WAITING_MAX}


def test_a_unit_with_too_many_bytes_waiting_is_left_out() -> None:
    intake = opened()
    part = slice_of(5, 6)._replace(size=WAITING_BYTES_MAX)
    intake.hand_over(part)
    intake.receive(part, "ticket")
    assert intake.wanted() == {}
    intake.done(intake.take())
    assert intake.wanted() == {"requests": 6}


def test_a_transaction_is_bounded_in_bytes_too() -> None:
    intake = opened()
    for n in range(3):
        intake.receive(slice_of(5 + n, 6 + n)._replace(size=BYTES_MAX // 2), n)
    assert [ticket for _, ticket in intake.take()] == [0, 1]


def test_what_one_fetch_returned_is_cut_into_slices_that_join() -> None:
    records = [SimpleNamespace(offset=n, value=b"x") for n in range(10, 11 + 2 * RECORDS_MAX)]
    parts = list(cut("requests", 5, records, 9999, 1))
    assert [len(part.records) for part in parts] == [RECORDS_MAX, RECORDS_MAX, 1]
    assert [part.start for part in parts] == [5, *(part.end for part in parts[:-1])]
    assert parts[-1].end == 9999


def test_slices_are_cut_by_bytes_and_one_large_record_is_a_slice() -> None:
    large = bytes(BYTES_MAX)
    records = [SimpleNamespace(offset=n, value=large) for n in range(3)]
    assert [part.size for part in cut("requests", 0, records, 3, 1)] == [BYTES_MAX] * 3


def test_a_fetch_of_holes_only_is_one_empty_slice() -> None:
    assert list(cut("requests", 5, [], 9, 1)) == [Slice("requests", 5, [], 9, 1, 0)]


def test_a_slice_of_an_earlier_take_over_is_dropped() -> None:
    assert not opened().receive(slice_of(5, 9, take_over=0), "ticket")


def test_closing_gives_back_the_tickets_of_what_was_only_queued() -> None:
    intake = opened()
    intake.receive(slice_of(5, 9), "ticket")
    assert intake.close() == ["ticket"]
    assert not intake.is_open
    assert intake.take() == []


def test_a_transaction_takes_whole_slices_up_to_its_bound() -> None:
    intake = opened()
    half = RECORDS_MAX // 2
    for n in range(3):
        intake.receive(slice_of(5 + n * half, 5 + (n + 1) * half), n)
    assert [ticket for _, ticket in intake.take()] == [0, 1]
    assert [ticket for _, ticket in intake.take()] == [2]


def test_one_slice_larger_than_the_bound_is_still_taken() -> None:
    intake = opened()
    intake.receive(slice_of(5, 6 + RECORDS_MAX), "ticket")
    assert len(intake.take()) == 1


def test_a_slice_that_joins_is_unread_whole_even_with_holes() -> None:
    assert len(unread(5, slice_of(5, 9, holes=(5, 6)))) == 2


def test_what_the_state_has_seen_is_not_read_again() -> None:
    assert [record.offset for record in unread(7, slice_of(5, 9))] == [7, 8]


def test_a_slice_that_does_not_join_ends_the_process() -> None:
    with pytest.raises(Fatal, match="the state is at 5"):
        unread(5, slice_of(6, 9))


def test_nothing_flows_between_a_rebalance_and_its_completion() -> None:
    flow = Flow()
    first = flow.begin_take_over()
    assert not flow.passes(first)
    flow.resume(first)
    assert flow.passes(first)
    flow.stop()
    assert not flow.passes(first)


def test_an_earlier_rebalance_that_completes_late_opens_nothing() -> None:
    flow = Flow()
    first = flow.begin_take_over()
    second = flow.begin_take_over()
    flow.resume(first)
    assert not flow.is_flowing
    flow.resume(second)
    assert flow.passes(second)
    assert not flow.passes(first)


def test_inputs_of_one_partition_number_must_come_together() -> None:
    check_owned({0: 3, 1: 3}, 3)
    with pytest.raises(Fatal, match=r"\[1\]"):
        check_owned({0: 3, 1: 2}, 3)


def test_a_fetch_seeks_only_where_the_consumer_is_elsewhere() -> None:
    assert misplaced({"a": 5, "b": 7}, {"a": 5, "b": 9}) == {"b": 7}


def test_a_fetch_brings_what_moved_holes_at_its_end_included() -> None:
    record = SimpleNamespace(offset=5)
    brought = moved({"a": 5, "b": 7, "c": 1}, {"a": [record]}, {"a": 9, "b": 8, "c": 1})
    assert brought == {"a": Fetched(5, [record], 9), "b": Fetched(7, [], 8)}


def two_slices() -> Fetched:
    records = [SimpleNamespace(offset=n, value=b"") for n in range(RECORDS_MAX + 1)]
    return Fetched(0, records, RECORDS_MAX + 1)


def test_slices_are_queued_and_handed_over_one_by_one() -> None:
    flow = Flow()
    flow.resume(flow.begin_take_over())
    seen = list(deliver(flow, "requests", two_slices(), 1))
    assert [type(step) for step in seen] == [Queue, HandOver] * 2
    assert [step.part.end for step in seen] == [RECORDS_MAX] * 2 + [RECORDS_MAX + 1] * 2


def test_a_slice_that_waited_through_a_rebalance_is_not_handed_over() -> None:
    flow = Flow()
    flow.resume(flow.begin_take_over())
    steps = deliver(flow, "requests", two_slices(), 1)
    next(steps)
    flow.stop()
    assert list(steps) == []


def test_a_slice_whose_partition_is_gone_is_not_handed_over() -> None:
    flow = Flow()
    flow.resume(flow.begin_take_over())
    steps = deliver(flow, "requests", two_slices(), 1)
    next(steps)
    is_gone = True
    with pytest.raises(StopIteration):
        steps.send(is_gone)


def test_what_was_fetched_under_an_earlier_take_over_is_dropped() -> None:
    flow = Flow()
    flow.resume(flow.begin_take_over())
    assert list(deliver(flow, "requests", two_slices(), 0)) == []

"""What requests wait for is worked out and shown rightly, and counts only if the books agree."""

from collections import defaultdict
from dataclasses import replace

import pytest

from tests.tools.test_bench import printed, row_of
from tools.bench.asked import read_arguments
from tools.bench.contestant import rotated
from tools.bench.latency import REST, TOPIC
from tools.bench.page import page_of
from tools.bench.report import ENGINE, Report
from tools.bench.waits import Restart, Wait, Waits, restart_of, waits_of
from tools.bench.waits_table import KAFKA_STREAMS

FAST, SLOW = Waits(1000, 10, 20, 30, 40), Waits(1000, 15, 60, 90, 120)


def report(*disagreements: str) -> Report:
    """Two rounds of each: Kafka Streams waits three times as long, and two thirds as long."""
    return Report(
        accounts=10,
        events=100,
        requests=1000,
        latency=defaultdict(
            list, {ENGINE: [FAST, SLOW], KAFKA_STREAMS: [SLOW, replace(SLOW, p99_ms=40)]}
        ),
        ways=defaultdict(list, {TOPIC: [FAST], REST: [SLOW]}),
        restarts=defaultdict(
            list, {ENGINE: [Restart(2.0, 2.5)], KAFKA_STREAMS: [Restart(1.5, 6.0)]}
        ),
        disagreements=list(disagreements),
        books_checked="2000 requests.",
    )


def test_a_wait_counts_from_when_its_request_was_due() -> None:
    waits = [Wait(due=place, seen=place + (place + 1) / 1000) for place in range(1000)]

    figures = waits_of(waits)

    assert figures.requests == 1000
    shown = (figures.p50_ms, figures.p99_ms, figures.p999_ms, figures.max_ms)
    assert shown == pytest.approx((501, 991, 1000, 1000))


def test_a_restart_lasts_until_a_request_that_was_due_after_the_kill_has_its_result() -> None:
    waits = [
        Wait(due=9.0, seen=11.0, partition=0),  # asked before, answered after
        Wait(due=10.1, seen=14.0, partition=0),
        Wait(due=10.2, seen=12.5, partition=1),
        Wait(due=10.3, seen=13.0, partition=0),
    ]
    assert restart_of(waits, killed=10.0) == Restart(first_s=2.5, everywhere_s=3.0)


def test_each_has_the_first_place_in_its_turn() -> None:
    assert [rotated("abc", number) for number in (0, 1, 5)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
    ]


def test_the_waits_and_their_ratios_are_shown_beside_what_is_asked() -> None:
    text = printed(report())

    assert row_of(text, "│ REST  │") == "1 REST 1,000 15.0 60.0 90.0 120.0"
    assert row_of(text, "engine, p99") == (
        "Kafka Streams / engine, p99 at 500/s 1.83 (0.67-3.00) ≥ 1.5, 3, 5 gate"
    )
    assert row_of(text, "REST / topic") == "REST / topic, p50 at 200/s 1.50 ≤ 3, 2, 1.5 stretch"
    assert row_of(text, "kill to new").endswith("0.75 ≥ 0.5, 1, 2 gate")
    assert row_of(text, "2.00") == "1 engine 2.00 2.50"


def test_no_ratio_of_waits_is_printed_when_the_books_disagree() -> None:
    text = printed(report("Request 1 of account A has no result."))

    assert "Asked and reached" not in text
    assert "Request 1 of account A has no result." in text


def test_the_engine_is_shown_alone_where_kafka_streams_cannot_run() -> None:
    alone = report()
    del alone.latency[KAFKA_STREAMS], alone.restarts[KAFKA_STREAMS]

    text = printed(alone)

    assert "2.50" in text
    assert "Kafka Streams" not in text


def test_the_page_has_the_waits() -> None:
    page = page_of(Report(10, 100, 1000, contest=report()), read_arguments([]))

    assert "REST / topic" in page
    assert "mermaid" not in page

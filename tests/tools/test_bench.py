"""The bench works its figures out rightly and keeps a ratio back when the books disagree."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from api.filters import OF_EVENTS, event_filters
from api.parameters import given_in, read_parameters
from api.searching import Searches
from api.store import Store
from streams.delivery.unit import KEPT_MAX
from tests.api.builders import sqlite_url
from tools.bench.asked import read_arguments
from tools.bench.batching import USAGE_TYPES, Batched, Course, population_of, singles_of
from tools.bench.calls import Answered, Call, call_at_rate
from tools.bench.charges import Charges
from tools.bench.drain import Drained, Look, drained
from tools.bench.errors import NotMeasuredError
from tools.bench.figures import Figure, Limits
from tools.bench.page import page_of
from tools.bench.queries import PATH, addresses, kinds
from tools.bench.read_model import Projected, fill
from tools.bench.reads import Reads
from tools.bench.report import ENGINE, Report
from tools.bench.rest import WARM_UP, latency
from tools.bench.searches import figures
from tools.bench.subscribing import CaughtUp, Subscribed
from tools.bench.table import show, verdict
from tools.bench.waits_table import KAFKA_STREAMS
from tools.load import Population
from tools.verify.log import murmur2

PEER = "a peer"
CHARGES = Charges(events=400, accounts=20, adjustments=100)


def report(*disagreements: str) -> Report:
    """Two rounds: the engine at half and a quarter of the rate, with a third of the memory."""
    runs = {
        ENGINE: [Drained(1000, 1.0, 20, 10, 100), Drained(1000, 2.0, 20, 10, 100)],
        PEER: [Drained(1000, 0.5, 10, 5, 300), Drained(1000, 0.5, 10, 5, 300)],
    }
    return Report(
        accounts=10,
        events=100,
        requests=1000,
        runs=defaultdict(list, runs),
        limits={PEER: Limits(0.2, 0.3)},
        post=latency([0.5] * WARM_UP + [0.010] * 199 + [0.200]),
        disagreements=list(disagreements),
        books_checked="2000 requests.",
    )


def printed(shown: Report) -> str:
    """What the terminal would show."""
    text = StringIO()
    show(shown, Console(file=text, width=200))
    return text.getvalue()


def row_of(text: str, words: str) -> str:
    """The one row of a table that has these words, without its lines."""
    (row,) = (line for line in text.splitlines() if words in line)
    return " ".join(row.replace("│", " ").split())


def test_the_rate_counts_from_ready_to_the_last_result() -> None:
    run = drained(Look(10.0, 0, 1.0, 5.0), Look(14.0, 1012, 3.0, 6.0), 1000)
    assert (run.rate_per_s, run.own_cpu_us, run.broker_cpu_us) == (250, 2000, 1000)


def test_what_was_drained_before_anybody_looked_is_not_measured() -> None:
    with pytest.raises(NotMeasuredError, match="ask for more"):
        drained(Look(10.0, 1012, 1.0, 5.0), Look(14.0, 1012, 3.0, 6.0), 1000)


def test_what_was_drained_while_the_program_warmed_up_does_not_count() -> None:
    run = drained(Look(10.0, 400, 1.0, 5.0), Look(14.0, 1600, 3.0, 6.0, 80.0), 1000)
    assert (run.requests, run.rate_per_s, run.memory_mb) == (750, 187.5, 80)


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    row = row_of(printed(report()), "0.38")
    assert row == f"engine / {PEER}, rate 0.38 (0.25-0.50) ≥ 0.2, 0.3 target"


@pytest.mark.parametrize(
    ("value", "limits", "reached"),
    [
        (0.9, Limits(1, 1.5), "MISSED"),
        (1, Limits(1, 1.5), "gate"),
        (1.6, Limits(1, 1.5), "target"),
        (3, Limits(1, 1.5, 2.5), "stretch"),
        (31, Limits(30, is_most=True), "MISSED"),
        (2, Limits(3, 2, 1.5, is_most=True), "target"),
    ],
)
def test_a_figure_is_marked_with_the_furthest_that_it_reaches(
    value: float, limits: Limits, reached: str
) -> None:
    assert Figure("a figure", [value], limits).reached == reached


def test_processor_time_and_memory_are_marked_as_the_rate_is() -> None:
    shown = report()
    shown.runs = defaultdict(
        list, {name.replace(PEER, KAFKA_STREAMS): runs for name, runs in shown.runs.items()}
    )
    shown.limits = {KAFKA_STREAMS: Limits(1.0, 1.5)}
    text = printed(shown)
    assert row_of(text, "Kafka Streams / engine, CPU") == (
        "Kafka Streams / engine, CPU 0.50 (0.50-0.50) ≥ 1, 1.5 MISSED"
    )
    assert row_of(text, "Kafka Streams / engine, memory") == (
        "Kafka Streams / engine, memory 3.00 (3.00-3.00) ≥ 2, 4, 6 gate"
    )


def test_the_verdict_counts_the_gates_and_names_those_that_are_missed() -> None:
    shown = report()
    shown.limits = {PEER: Limits(0.5)}
    whole = Report(10, 100, 1000, contest=shown, batched=batched("Request 1 has no result."))

    assert verdict(whole) == [
        "2 of 3 gates are met.",
        "MISSED: engine / a peer, rate: 0.38 (0.25-0.50), asked is ≥ 0.5",
        "1 disagreements in the books, where no figures are given",
    ]


def test_no_ratio_is_printed_when_the_books_disagree() -> None:
    shown = printed(report("Request 1 of account A has no result."))
    assert "(0.25-0.50)" not in shown
    assert "No ratio: 1 disagreements" in shown
    assert "Request 1 of account A has no result." in shown


def test_the_durability_and_the_size_stand_beside_the_figures() -> None:
    shown = printed(report())
    assert "replication 1" in shown
    assert "1000 preloaded requests" in shown


def test_the_first_calls_do_not_count_for_the_latency() -> None:
    measured = report().post
    assert measured is not None
    assert (measured.calls, measured.p50_ms, measured.p99_ms) == (200, 10, 10)


def test_a_search_is_as_slow_as_its_caller_finds_it_from_when_it_was_due() -> None:
    kind, *_ = kinds(CHARGES)
    answered = [Answered(due=place, sent=place + 1, ended=place + 2, found=3) for place in range(4)]

    searched = figures(kind, answered, own_cpu_s=0.4, api_cpu_s=0.8)

    assert (searched.p50_ms, searched.p99_ms, searched.late_p99_ms) == (2000, 2000, 1000)
    assert (searched.per_s, searched.found) == (0.8, 3)
    assert (searched.own_cpu_ms, searched.api_cpu_ms) == (100, 200)


def test_the_searches_are_shown_beside_what_is_asked_of_them() -> None:
    kind = next(each for each in kinds(CHARGES) if each.name == "account, from, to")
    searched = figures(kind, [Answered(0, 0.001, 0.0123, 20)], own_cpu_s=0.1, api_cpu_s=0.1)
    shown = Report(10, 100, 1000)
    shown.reads = Reads(CHARGES, Projected(24, 15_000, 20, 12_000), [searched])

    text = printed(shown)

    row = row_of(text, "account, from, to")
    assert row == "account, from, to 81 12.3 12.3 ≤ 50 gate 12.3 20.0 100.0"
    assert row_of(text, "projection of").endswith("12,000 ≥ 10,000 gate")
    assert "No ratio" not in text


def batched(*disagreements: str) -> Batched:
    """A batch at two thirds of the rate of the same requests; a dry run three times as fast."""
    return Batched(
        accounts=10,
        events=1000,
        batch=Course(1000, 1.5, 0.1, 0.2, 0.3),
        preloaded=Course(1000, 1.0, 0.1, 0.1, 0.1),
        dry_run=Course(100, 0.05, api_cpu_s=0.01),
        singles=[
            singles_of(beside, [Answered(0, 0, place * each_s, 0) for place in range(100)])
            for beside, each_s in (("nothing", 0.001), ("a dry run", 0.002), ("a batch", 0.0025))
        ],
        books_checked="2000 requests",
        disagreements=list(disagreements),
        machine="a machine, load 0.5 in the last minute of it",
    )


def test_each_tenth_of_what_batches_adjust_is_as_large_whatever_is_asked_for() -> None:
    population = population_of(events=4_000, accounts=300)

    types = Counter(json.loads(each.value)["usageType"] for each in population.event_records())

    assert set(types.values()) == {300}
    assert set(types) == set(USAGE_TYPES)


def test_batches_are_shown_beside_what_is_asked_of_them() -> None:
    shown = report()
    shown.runs.clear()
    shown.batched = batched()

    text = printed(shown)

    (row,) = (line for line in text.splitlines() if line.startswith("│ a batch") and "667" in line)
    assert row.replace("│", " ").split()[2:] == ["1,000", "1.5", "667", "100", "200", "300"]
    (row,) = (line for line in text.splitlines() if line.startswith("│ a batch") and "247" in line)
    assert row.replace("│", " ").split()[2:] == ["100", "125.0", "247.5", "247.5"]
    assert "a machine, load 0.5" in text
    assert row_of(text, "batch / the same").endswith("0.67 ≥ 0.6 gate")
    assert row_of(text, "dry run, items/s").endswith("2,000 ≥ 5,000 MISSED")
    assert row_of(text, "POST beside a batch").endswith("2.50 ≤ 3 gate")


def test_no_ratio_of_batches_is_printed_when_the_books_disagree() -> None:
    shown = report()
    shown.runs.clear()
    shown.batched = batched("Request 1 of account A has no result.")
    text = printed(shown)
    assert "dry run, items" not in text
    assert "Request 1 of account A has no result." in text


def subscribed(*disagreements: str) -> Subscribed:
    """The warehouse reads half as fast as a plain reader, Finance a quarter as fast."""
    plain, finance, dwh = (
        CaughtUp(what, 20_000, seconds, 1.0)
        for what, seconds in (("plain read", 1), ("finance", 4), ("dwh", 2))
    )
    return Subscribed(CHARGES, [plain, finance, dwh], [finance, dwh], [*disagreements], "a machine")


def test_subscribers_are_shown_beside_a_plain_read_and_what_is_asked() -> None:
    text = printed(Report(10, 100, 1000, subscribed=subscribed()))

    assert row_of(text, "warehouse / plain read").endswith("0.50 ≥ 0.3 gate")
    assert row_of(text, "Finance, adjustments/s").endswith("2,500 ≥ 3,000 MISSED")


def test_no_ratio_of_subscribers_is_printed_when_the_rows_disagree() -> None:
    whole = Report(10, 100, 1000, subscribed=subscribed("Row 1 differs."))
    text = printed(whole)

    assert "0.50" not in text
    assert "Row 1 differs." in text
    assert verdict(whole)[0] == "0 of 0 gates are met."


class Takes(BaseHTTPRequestHandler):
    """A REST that has a result for all, but for one address."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(202 if self.path == "/late" else 201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def taking_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Takes) as rest:
        thread = Thread(target=rest.serve_forever)
        thread.start()
        yield rest.server_port
        rest.shutdown()
        thread.join()


def test_calls_are_made_when_they_are_due(taking_port: int) -> None:
    answered = sorted(call_at_rate(taking_port, [Call("/", b"{}")] * 5, 100))

    assert [round(each.due - answered[0].due, 3) for each in answered] == [
        0,
        0.01,
        0.02,
        0.03,
        0.04,
    ]
    assert all(each.due <= each.sent <= each.ended for each in answered)


def test_a_call_that_has_no_result_ends_the_measurement(taking_port: int) -> None:
    with pytest.raises(NotMeasuredError, match="/late: 202"):
        call_at_rate(taking_port, [Call("/late", b"{}")], 100)


def test_every_filter_is_searched_by_and_every_kind_of_search_finds_events(tmp_path: Path) -> None:
    url, used = sqlite_url(tmp_path), set()
    fill(url, "a cluster", CHARGES, Console(file=StringIO()))
    store = Store(url)
    searches = Searches(store.engine)

    for kind in (each for each in kinds(CHARGES) if each.path == PATH):
        found = 0
        for address in addresses(kind, 20, seed=1):
            query = urlsplit(address).query.encode()
            used |= {name for name, _ in given_in(query)}
            values = read_parameters(query, OF_EVENTS)
            assert isinstance(values, dict)
            found += len(searches.events(event_filters(values), limit=50).items)
        assert found, kind.name
    store.close()

    assert used == OF_EVENTS.keys()


def test_a_load_is_the_same_for_the_same_seed() -> None:
    requests = list(Population(50, 4, seed=7).request_records(200))
    assert requests == list(Population(50, 4, seed=7).request_records(200))
    assert requests != list(Population(50, 4, seed=8).request_records(200))
    assert len({request.request_id for request in requests}) == 200


@pytest.mark.parametrize(
    ("key", "signed"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_keys_are_hashed_as_java_does(key: bytes, signed: int) -> None:
    """The values are those of Kafka's own unit test."""
    assert murmur2(key) == signed & 0x7FFFFFFF


def test_the_page_has_the_tables_and_a_chart_of_processor_time() -> None:
    whole = Report(accounts=10, events=100, requests=1000, contest=report())

    page = page_of(whole, read_arguments(["--only", "peers", "--accounts", "10"]))

    assert "Draining preloaded requests" in page
    assert 'x-axis ["engine", "a peer"]' in page
    assert "run once, a batch always before" in page
    assert "bar [1.00, 0.50]" in page
    assert "python -m tools.bench --only peers --accounts 10` on" in page
    assert "not measured: subscribers, batches, reads" in page
    assert "their advantage: 500 accounts" in page
    assert f"up to {KEPT_MAX:,} a partition" in page


def test_the_page_has_no_chart_where_the_books_disagree() -> None:
    whole = Report(accounts=10, events=100, requests=1000, contest=report("2 results"))
    page = page_of(whole, read_arguments([]))

    assert "mermaid" not in page
    assert "No ratio" in page

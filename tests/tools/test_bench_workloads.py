"""A careless workload is what it is called, and shown beside a plain one."""

import json
from collections import Counter, defaultdict
from random import Random

from tests.tools.test_bench import printed, row_of
from tools.bench.drain import Drained
from tools.bench.report import ENGINE, Report, Sized
from tools.bench.scaling import ONE, TWO
from tools.bench.workloads import CARELESS, HOT, PLAIN, careless, requests_of, zipf
from tools.load import Population

POPULATION, COUNT = Population(accounts=1000, events_per_account=2), 20_000
FAST, SLOW = Drained(1000, 1.0, 20, 10, 100), Drained(1000, 2.0, 30, 10, 100)


def test_one_in_ten_comes_again_and_one_in_a_hundred_is_malformed() -> None:
    sent = list(careless(POPULATION, COUNT, "a test"))

    ids = Counter(each.request_id for each in sent)
    malformed = ids.pop("")
    assert 0.09 < sum(ids.values()) / COUNT - len(ids) / COUNT < 0.11
    assert 0.007 < malformed / COUNT < 0.013
    for each in sent:
        assert ("currency" in json.loads(each.value)) == bool(each.request_id)


def test_accounts_are_drawn_by_zipfs_law() -> None:
    draw, drawn = Random(1), Counter[int]()  # noqa: S311 - a load, not a secret
    draw_account = zipf(100)
    for _ in range(COUNT):
        drawn[draw_account(draw)] += 1

    assert min(drawn) == 0
    assert max(drawn) == 99
    assert 1.8 < drawn[0] / drawn[1] < 2.2
    assert 8 < drawn[0] / drawn[9] < 12


def test_half_of_all_requests_are_of_the_hot_account() -> None:
    requests = requests_of(HOT, POPULATION, COUNT, "a test")

    (account, count), *_ = Counter(each.account for each in requests).most_common(1)

    assert account == "ACC-0000500"
    assert 0.48 < count / COUNT < 0.52


def report(*disagreements: str) -> Report:
    """One round, in which others than the plain ones are half as fast."""
    return Report(
        accounts=10,
        events=100,
        requests=1000,
        runs=defaultdict(list, {ENGINE: [FAST]}),
        workloads=defaultdict(list, {PLAIN: [FAST], CARELESS: [SLOW], HOT: [SLOW]}),
        disagreements=list(disagreements),
        books_checked="2000 requests.",
    )


def test_workloads_are_shown_beside_the_plain_one() -> None:
    text = printed(report())

    assert row_of(text, "careless / plain, rate").endswith("0.50 ≥ 0.95, 0.98, 1 MISSED")
    assert row_of(text, "plain / one hot account, CPU").endswith("CPU 0.75")
    assert row_of(text, "1     │ careless ") == "1 careless 500 2,000 30 10 100"


def test_two_workers_are_shown_beside_one_with_what_more_processors_would_give() -> None:
    scaled = report()
    scaled.scaling |= {ONE: [SLOW], TWO: [FAST]}
    text = printed(scaled)

    assert row_of(text, "2 workers / 1 worker, rate").endswith("2.00 ≥ 1 gate")
    assert "8 processors have the time for 266,667 requests/s: Kafka uses 2.7 of them, 50%" in text


def test_a_large_state_is_shown_beside_a_small_one() -> None:
    many = report()
    many.events, many.runs[ENGINE] = 10_000, [SLOW]
    text = printed(Report(10, 100, 1000, sized=Sized(report(), many)))

    assert "replication 1" in text
    assert row_of(text, "10,000 events") == "1 10,000 events 500 2,000 30 10 100"
    assert row_of(text, "few events, rate").endswith("0.50 ≥ 0.75, 0.85, 0.95 MISSED")
    assert row_of(text, "many events, CPU").endswith("0.75 ≥ 0.75, 0.85, 0.95 gate")


def test_no_ratio_is_printed_where_the_books_of_either_disagree() -> None:
    text = printed(Report(10, 100, 1000, sized=Sized(report(), report("2 results."))))

    assert "2 results." in text
    assert "few events, rate" not in text
    assert "careless / plain" not in printed(report("2 results."))

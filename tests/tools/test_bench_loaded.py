"""What a bench measures of a worker on a real Kafka, and that the books agree afterwards."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest
from rich.console import Console

from tests.tools.test_kafka_life import has_ended
from tools.bench.latency import OTHERS_PER_S, measure_hot, measure_latency, measure_rest
from tools.bench.loaded import Bench
from tools.bench.peers.field import Peer
from tools.bench.peers.kinds import kafka_streams
from tools.bench.peers.maven import PeerUnavailableError
from tools.bench.report import ENGINE, Report
from tools.bench.restart import measure_restarts
from tools.bench.scaling import ONE, TWO, measure_scaling
from tools.bench.system import running_system
from tools.bench.workloads import CARELESS, HOT, PLAIN, measure_workloads
from tools.verify.topics import RESULTS
from tools.waiting import wait_until

BENCH = """
import sys
from tools.bench.system import running_system

with running_system(for_long=False) as system:
    print(system.kafka.pid, system.home, flush=True)
    sys.stdin.read()
"""
ACCOUNTS, EVENTS, PER_S = 40, 85, 100  # not as many events for each account


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """A bench of the engine and, where it can be built, Kafka Streams; loaded."""
    peers: list[Peer] = []
    with suppress(PeerUnavailableError):
        peers.append(kafka_streams())
    with running_system(for_long=False) as system:
        report = Report(ACCOUNTS, EVENTS, requests=0)
        made = Bench(system, report, peers, Console(file=StringIO()))
        made.load()
        yield made


def test_each_account_has_as_many_events_and_the_report_says_how_many_that_makes(
    bench: Bench,
) -> None:
    assert bench.report.events == 80


def test_each_request_is_due_at_its_time_and_its_result_is_seen_once(bench: Bench) -> None:
    engine, *_ = bench.contestants()
    with engine.at_work() as worker, bench.paced(engine.results, PER_S) as paced:
        wait_until(lambda: len(paced.seen_after(0)) >= PER_S, "a second's results are seen")
        waits = paced.stop()
    bench.note(paced.acknowledged, len(waits))

    assert worker.process.poll() == 0  # it was stopped orderly
    assert len(waits) == len(paced.acknowledged)
    first = waits[0].due
    for place, wait in enumerate(waits):
        assert wait.due == pytest.approx(first + place / PER_S)
        assert wait.seen > wait.due
    assert bench.meter.records(engine.results) == len(bench.acknowledged)


def test_a_topic_that_is_made_after_it_was_looked_for_is_found(bench: Bench) -> None:
    assert not bench.meter.is_led("late-" + RESULTS)

    bench.field.make_topics("late-", [RESULTS])

    assert bench.meter.is_led("late-" + RESULTS)


def test_the_books_agree_after_everything_that_is_measured(bench: Bench) -> None:
    measure_workloads(bench, rounds=1, requests=2_000)
    measure_scaling(bench, rounds=1, requests=2_000)
    measure_hot(bench, rounds=1, seconds=1)
    measure_latency(bench, rounds=1, seconds=1)
    measure_rest(bench, rounds=1, seconds=1)
    measure_restarts(bench, rounds=1)
    bench.check_books()

    report = bench.report
    assert report.disagreements == []
    assert report.latency[ENGINE][0].requests == 500
    assert report.ways["topic"][0].requests == 200
    assert report.ways["REST"][0].requests == 200
    assert report.workloads.keys() == {PLAIN, CARELESS, HOT}
    assert 200 < report.beside_hot[HOT][0].requests < 1_100
    assert report.beside_hot[PLAIN][0].requests == OTHERS_PER_S  # not twice as many
    assert report.scaling.keys() == {ONE, TWO}
    for runs in report.restarts.values():
        (restart,) = runs
        assert 0 < restart.first_s <= restart.everywhere_s


def test_kafka_is_found_where_the_temporary_folder_is_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "here"
    link.symlink_to("there")
    monkeypatch.setattr(tempfile, "tempdir", str(link))

    with running_system(for_long=False) as system:
        assert system.kafka.name() == "java"
        assert system.home.parent == link


def test_nothing_is_left_of_a_bench_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", BENCH], stdin=PIPE, stdout=PIPE) as killed:
        assert killed.stdout
        number, home = killed.stdout.readline().decode().split()
        kafka = psutil.Process(int(number))
        killed.kill()

    wait_until(lambda: has_ended(kafka), "Kafka has ended")
    wait_until(lambda: not Path(home).exists(), "its folder is gone")

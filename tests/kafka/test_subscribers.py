"""Finance and the warehouse against a real engine: killed, frozen, deleted, and still the topic."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.kafka.conftest import Engine
from tools.verify.standing import Standing
from tools.verify.stores import compare, open_stores
from tools.waiting import wait_until
from tools.workers import ProgramProcess

KILLS = 3  # of each subscriber
REQUESTS = 300
SUBSCRIBERS = ("finance", "dwh")
QUICK = {"ADJUST_LEASE_S": "1", "ADJUST_DWH_FLUSH_S": "0.2"}
FENCED = 3


@contextmanager
def subscriber(
    engine: Engine, home: Path, name: str, instance: int = 1
) -> Iterator[ProgramProcess]:
    """A subscriber as a process of its own; it is killed when the `with` ends."""
    command, environment = ["streams.subscribers", name], engine.environment | QUICK
    with ProgramProcess(home, environment, command, f"{name}-{instance}.log") as process:
        yield process


def commits(home: Path, name: str) -> int:
    """A number that grows with each commit of a store; 0 before the first."""
    if name == "dwh":
        numbers = [int(file.stem) for file in (home / "dwh" / "commits").glob("[0-9]*.json")]
        return max(numbers, default=0)
    if not (home / "finance.db").exists():
        return 0
    try:
        with closing(sqlite3.connect(home / "finance.db")) as database:
            return int(database.execute("SELECT sum(next) FROM topic_offset").fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return 0  # its tables are not there yet


def goes_on(home: Path, name: str, before: int) -> None:
    wait_until(lambda: commits(home, name) > before, f"{name} commits something")


def disagreements(engine: Engine, home: Path) -> list[str]:
    """What an outsider finds when the stores are compared with the topic."""
    stores = open_stores(home, None)
    reports = compare(engine.options, stores)
    looked = [*stores.others, *(report.looked for report in reports if report.looked)]
    not_whole = [each.text for each in looked if each.standing is not Standing.WHOLE]
    found = [line for report in reports for line in report.disagreements]
    return [*not_whole, *found]


def agrees(engine: Engine, home: Path) -> None:
    """Both stores come to hold exactly what the topic says."""
    found: list[str] = []

    def agree() -> bool:
        found[:] = disagreements(engine, home)
        return not found

    try:
        wait_until(agree, "the stores agree with the topic")
    except TimeoutError as late:
        raise AssertionError("\n".join(found)) from late


@pytest.mark.timeout(600)
def test_subscribers_killed_under_load_hold_exactly_what_the_topic_says(
    engine: Engine, tmp_path: Path
) -> None:
    with engine.worker("for-subscribers") as worker:
        worker.wait_ready()
        for _ in range(KILLS):
            with ExitStack() as both:
                running = {
                    name: both.enter_context(subscriber(engine, tmp_path, name))
                    for name in SUBSCRIBERS
                }
                before = {name: commits(tmp_path, name) for name in running}
                engine.send_requests(REQUESTS)
                for name, process in running.items():
                    goes_on(tmp_path, name, before[name])
                    process.kill()
        engine.check()
        with subscriber(engine, tmp_path, "finance"), subscriber(engine, tmp_path, "dwh"):
            agrees(engine, tmp_path)


@pytest.mark.parametrize("name", SUBSCRIBERS)
def test_a_second_instance_takes_over_from_a_frozen_one_which_is_fenced(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    with engine.worker("for-subscribers") as worker, subscriber(engine, tmp_path, name) as first:
        worker.wait_ready()
        goes_on(tmp_path, name, before=0)
        with subscriber(engine, tmp_path, name, instance=2) as second:
            second.wait_for("waits: another instance is at work")
            first.freeze()
            second.wait_for(f"adjust {name} reads")
            before = commits(tmp_path, name)
            engine.send_requests(REQUESTS)
            goes_on(tmp_path, name, before)
            first.resume()
            assert first.wait_end() == FENCED
            assert "another instance has taken over" in first.text
            assert second.process.poll() is None
            assert second.stop() == 0


@pytest.mark.parametrize("name", SUBSCRIBERS)
def test_a_store_deleted_under_its_subscriber_comes_back_from_the_topic(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    other = next(each for each in SUBSCRIBERS if each != name)
    with subscriber(engine, tmp_path, name) as process, subscriber(engine, tmp_path, other):
        agrees(engine, tmp_path)
        for file in tmp_path.glob("finance.db*" if name == "finance" else "dwh"):
            # A folder goes at once: what is written meanwhile would stay in it.
            file.rename(tmp_path / "gone") if file.is_dir() else file.unlink()
        agrees(engine, tmp_path)
        assert process.process.poll() is None
        assert re.search("waits: .*(gone|deleted)", process.text)


@pytest.mark.parametrize("name", SUBSCRIBERS)
def test_an_orderly_stop_lets_the_next_one_begin_at_once(
    engine: Engine, tmp_path: Path, name: str
) -> None:
    with subscriber(engine, tmp_path, name) as first:
        goes_on(tmp_path, name, before=0)
        assert first.stop() == 0
    with subscriber(engine, tmp_path, name, instance=2) as second:
        second.wait_for(f"adjust {name} reads")
        assert "waits:" not in second.text

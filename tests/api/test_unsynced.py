"""A file written without waiting for the disk: kept after a kill, read anew after a power cut."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EIO
from pathlib import Path
from threading import Event, Timer

import pytest

from api import desk, unsynced
from api.rows import Progress, Rows
from api.store import Store
from tests.api.builders import sqlite_url

CLUSTER, POSITIONS = "cluster-1", {("adjustment-results", 3): Progress(7, 0)}
LIMIT_S, WHILE_IT_CLOSES_S = 30.0, 0.2
OFF, NORMAL = 0, 1  # as SQLite numbers how it waits for the disk


@pytest.fixture
def machine_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the machine says which run of it this is."""
    path = tmp_path / "boot_id"
    path.write_text("first\n")
    monkeypatch.setattr(unsynced, "MACHINE_RUN", path)
    return path


@contextmanager
def opened(home: Path) -> Iterator[Store]:
    home.mkdir(exist_ok=True)
    store = Store(sqlite_url(home))
    try:
        yield store
    finally:
        store.close()


def keep(store: Store) -> None:
    store.start_anew(CLUSTER)
    store.keep(Rows(positions=POSITIONS))


def write(home: Path) -> None:
    with opened(home) as store:
        keep(store)


def left_by_a_kill(home: Path) -> Path:
    """Give a folder as it is at a moment at which its store was written to."""
    left = home.with_name("left")
    with opened(home) as store:
        keep(store)
        shutil.copytree(home, left)
    assert (left / "api.db-wal").stat().st_size, "what was kept is not in the file itself yet"
    return left


def files_of_read_model(home: Path) -> set[str]:
    return {file.name for file in home.glob("api.db*")}


def synchronous(store: Store) -> int:
    with store.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


@pytest.mark.usefixtures("machine_run")
def test_no_commit_waits_for_the_disk(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as store:
        assert synchronous(store) == OFF


@pytest.mark.usefixtures("machine_run")
def test_what_a_killed_process_kept_is_there(tmp_path: Path) -> None:
    with opened(left_by_a_kill(tmp_path / "home")) as store:
        assert store.positions(CLUSTER) == POSITIONS


def test_what_was_written_to_when_the_machine_ended_is_read_anew(
    machine_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left = left_by_a_kill(tmp_path / "home")
    machine_run.write_text("second\n")
    with opened(left) as store:
        assert store.positions(CLUSTER) == {}
        assert synchronous(store) == OFF
    assert "written to when the machine ended" in caplog.text


def test_what_was_closed_outlasts_the_machine(machine_run: Path, tmp_path: Path) -> None:
    write(tmp_path / "home")
    machine_run.write_text("second\n")
    with opened(tmp_path / "home") as store:
        assert store.positions(CLUSTER) == POSITIONS


def test_where_no_machine_says_which_run_it_is_commits_wait(
    machine_run: Path, tmp_path: Path
) -> None:
    machine_run.unlink()
    write(tmp_path / "home")
    with opened(tmp_path / "home") as store:
        assert synchronous(store) == NORMAL
        assert store.positions(CLUSTER) == POSITIONS


def test_what_is_still_open_when_it_is_closed_is_not_trusted(
    machine_run: Path, tmp_path: Path
) -> None:
    store = Store(sqlite_url(tmp_path))
    keep(store)
    with store.engine.connect():
        store.close()
    machine_run.write_text("second\n")
    with opened(tmp_path) as again:
        assert again.positions(CLUSTER) == {}


@pytest.mark.usefixtures("machine_run")
def test_what_the_disk_did_not_take_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        if path.name == "api.db":
            raise OSError(EIO, "the disk fails")

    store = Store(sqlite_url(tmp_path))
    keep(store)
    with monkeypatch.context() as failing:
        failing.setattr(unsynced, "_sync", fail)
        with pytest.raises(OSError, match="the disk fails"):
            store.close()
    with opened(tmp_path) as again:
        assert again.positions(CLUSTER) == {}


@pytest.mark.usefixtures("machine_run")
def test_what_was_deleted_meanwhile_leaves_no_note(tmp_path: Path) -> None:
    with opened(tmp_path):
        for file in tmp_path.glob("api.db*"):
            file.unlink()
    assert not files_of_read_model(tmp_path)


@pytest.mark.usefixtures("machine_run")
async def test_who_still_reads_when_rest_ends_is_waited_for(tmp_path: Path) -> None:
    reads, may_end, has_ended = Event(), Event(), Event()
    at_close: list[bool] = []

    class Noting(Store):
        def close(self) -> None:
            at_close.append(has_ended.is_set())
            super().close()

    store = Noting(sqlite_url(tmp_path))

    def read() -> None:
        with store.engine.connect():
            reads.set()
            may_end.wait(LIMIT_S)
        has_ended.set()

    async with desk.open_desk(store, {"bootstrap_servers": "127.0.0.1:1"}):
        reading = asyncio.create_task(asyncio.to_thread(read))
        await asyncio.to_thread(reads.wait, LIMIT_S)
        reading.cancel()
        Timer(WHILE_IT_CLOSES_S, may_end.set).start()
    assert at_close == [True]
    assert files_of_read_model(tmp_path) == {"api.db", "api.db.lock"}


@pytest.mark.usefixtures("machine_run")
def test_a_file_named_with_options_of_the_driver_is_a_file(tmp_path: Path) -> None:
    store = Store(f"{sqlite_url(tmp_path)}?timeout=5")
    assert synchronous(store) == OFF
    store.close()


@pytest.mark.usefixtures("machine_run")
def test_what_is_in_memory_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = {*tmp_path.iterdir()}
    Store("sqlite://").close()
    assert {*tmp_path.iterdir()} == before

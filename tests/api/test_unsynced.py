"""A file written without waiting for the disk: kept after a kill, read anew after a power cut."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api import unsynced
from api.rows import Progress, Rows
from api.store import Store
from tests.api.builders import sqlite_url

CLUSTER, POSITIONS = "cluster-1", {("adjustment-results", 3): Progress(7, 0)}
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


def write(home: Path) -> None:
    with opened(home) as store:
        store.start_anew(CLUSTER)
        store.keep(Rows(positions=POSITIONS))


def left_by_a_kill(home: Path) -> Path:
    """Give a folder as it is at a moment at which its store is written to."""
    write(home)
    left = home.with_name("left")
    with opened(home):
        shutil.copytree(home, left)
    return left


def synchronous(store: Store) -> int:
    with store.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


def test_no_commit_waits_for_the_disk(machine_run: Path, tmp_path: Path) -> None:
    assert machine_run.exists()
    with opened(tmp_path / "home") as store:
        assert synchronous(store) == OFF


def test_what_a_killed_process_kept_is_there(machine_run: Path, tmp_path: Path) -> None:
    assert machine_run.exists()
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

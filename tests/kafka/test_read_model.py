"""The read model of REST against a real engine: killed in mid-projection, deleted, rebuilt."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sql

from api.tables import METADATA, TOPIC_OFFSET
from tests.api.builders import sqlite_url
from tests.kafka.conftest import Engine
from tools.kafka.ports import free_ports
from tools.read_models import differences
from tools.verify.log import Log
from tools.waiting import wait_until

KILLS = 5
REQUESTS = 3_000
TOPICS = ("adjustment-requests", "adjustment-results", "business-transactions")


@pytest.fixture(scope="module", autouse=True)
def decided(engine: Engine) -> None:
    """Something to project."""
    with engine.worker("read-model") as worker:
        worker.wait_ready()
        engine.send_requests(REQUESTS)
        engine.check()
        assert worker.stop() == 0


@contextmanager
def api(engine: Engine, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """REST as a process of its own; it is killed when the `with` ends."""
    home.mkdir(exist_ok=True)
    (port,) = free_ports(0)
    settings = {"ADJUST_HOME": str(home), "ADJUST_API_PORT": str(port)}
    with (home / "api.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"],
            stdout=log,
            stderr=log,
            env={**os.environ, **engine.environment, **settings},
        )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def project(engine: Engine, home: Path) -> sql.Engine:
    """Let REST read everything, and give what it keeps."""
    with api(engine, home) as (_, url):
        wait_until(lambda: is_ready(url), "REST has read everything")
    return sql.create_engine(sqlite_url(home))


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def kept(home: Path) -> int:
    """How many records were kept so far, about."""
    if not (home / "api.db").exists():
        return 0
    try:
        with sql.create_engine(sqlite_url(home)).connect() as connection:
            return int(connection.scalar(sql.select(sql.func.sum(TOPIC_OFFSET.c.next))) or 0)
    except sql.exc.OperationalError:
        return 0  # its tables are not there yet


def goes_on(home: Path, before: int, url: str) -> bool:
    return kept(home) > before or is_ready(url)


def test_a_read_model_killed_in_mid_projection_has_the_rows_of_an_undisturbed_one(
    engine: Engine, tmp_path: Path
) -> None:
    for _ in range(KILLS):
        before = kept(tmp_path / "killed")
        with api(engine, tmp_path / "killed") as (process, url):
            wait_until(partial(goes_on, tmp_path / "killed", before, url), "something is kept")
            process.kill()
    killed = project(engine, tmp_path / "killed")
    undisturbed = project(engine, tmp_path / "undisturbed")
    assert [found for _, _, found in differences(killed, undisturbed) if found] == []
    assert_as_on_the_topics(engine, killed)


def test_a_deleted_read_model_is_rebuilt_to_the_same_rows(engine: Engine, tmp_path: Path) -> None:
    first = project(engine, tmp_path / "kept")
    (tmp_path / "other").mkdir()
    again = project(engine, tmp_path / "other")
    compared = list(differences(first, again))
    assert [name for name, _, _ in compared] == [table.name for table in METADATA.sorted_tables]
    assert [found for _, _, found in compared if found] == []


def test_a_read_model_deleted_under_a_running_process_ends_it_and_is_rebuilt(
    engine: Engine, tmp_path: Path
) -> None:
    first = project(engine, tmp_path / "kept")
    with api(engine, tmp_path / "lost") as (process, url):
        wait_until(partial(is_ready, url), "REST has read everything")
        for file in (tmp_path / "lost").glob("api.db*"):
            file.unlink()
        assert process.wait(30) == 1
    assert (
        "was deleted; started again, REST reads everything anew"
        in (tmp_path / "lost" / "api.log").read_text()
    )
    rebuilt = project(engine, tmp_path / "lost")
    assert [found for _, _, found in differences(first, rebuilt) if found] == []


def assert_as_on_the_topics(engine: Engine, database: sql.Engine) -> None:
    """The last image of each entity, and the first result of each request, byte for byte."""
    images: dict[tuple[str, str], bytes] = {}
    results: dict[tuple[str, str], bytes] = {}
    for record in Log(engine.options, TOPICS[1:]).records():
        key, value = (record.key or b"").decode(), record.value or b""
        if record.topic == "adjustment-results":
            if record.headers.get("remembered") != "false":
                results.setdefault((key, record.headers["requestId"]), value)
        elif record.headers["X-Ocs-Io-message-code"] == "chargeableEvent":
            images[key, record.headers["ce_subject"]] = value
    with database.connect() as connection:
        events = connection.execute(sql.text("SELECT account, ref_id, image FROM chargeable_event"))
        assert {(row[0], row[1]): row[2] for row in events} == images
        answers = connection.execute(
            sql.text(
                "SELECT account, request_id, value "
                "FROM adjustment_result NATURAL JOIN adjustment_request WHERE remembered"
            )
        )
        assert {(row[0], row[1]): row[2] for row in answers} == results

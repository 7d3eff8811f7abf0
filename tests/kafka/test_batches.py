"""Batches of adjustments over a real engine: whoever dies, each event is adjusted once."""

import json
import logging
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kafka.conftest import Engine
from tests.kafka.test_read_model import api, is_ready
from tools.load import Population, send_all
from tools.verify.log import Log
from tools.waiting import wait_until
from tools.workers import WorkerProcess

PATH = "/v1/adjustment-batches"
KILLS, ITEMS = int(os.environ.get("KILLS", "2")), int(os.environ.get("ITEMS", "4000"))
IN_FLIGHT = max(50, ITEMS // 100)  # so that it is not over at once
OF_THE_BATCH = "KILLED_IN_BETWEEN"
LIFE_MAX_S = 60 + ITEMS / 20

_log = logging.getLogger(__name__)


@pytest.fixture
def worker(engine: Engine) -> Iterator[WorkerProcess]:
    """A worker that stops orderly."""
    with engine.worker("batches") as worker:
        yield worker.wait_ready()
        assert worker.stop() == 0


@pytest.fixture
def rated(engine: Engine) -> None:
    """So many chargeable events more, of a type of their own."""
    accounts, known = engine.population.accounts, {*engine.population.places()}
    each = engine.population.events_per_account + ITEMS // accounts
    more = Population(accounts, each, usage_types=(OF_THE_BATCH,))
    records = zip(more.event_records(), more.places(), strict=True)
    send_all(engine.options, [record for record, place in records if place not in known])


def a_batch(**changes: Any) -> dict[str, Any]:
    """Ask for a credit of a hundredth of a euro on each event."""
    adjustment = {
        "chargeType": "CREDIT",
        "chargeAdjustment": 10_000,
        "currency": "EUR",
        "taxIncluded": True,
        "comment": "a whole period",
    }
    return {
        "batchId": str(uuid.uuid4()),
        "user": "fin:omar",
        "filter": {"usageType": "DATA_ROAMING"},
        "adjustment": adjustment,
    } | changes


def report(url: str, batch_id: str) -> dict[str, Any]:
    """Give how far a batch is; nothing while REST is away."""
    try:
        answer = httpx.get(f"{url}{PATH}/{batch_id}", timeout=30)
    except httpx.TransportError:
        return {}
    return answer.json() if answer.status_code == 200 else {}


def is_finished(url: str, batch_id: str) -> bool:
    """Whether a batch is finished."""
    return report(url, batch_id).get("state") == "FINISHED"


@pytest.mark.usefixtures("worker")
def test_a_batch_adjusts_each_event_of_its_filter_once(engine: Engine, tmp_path: Path) -> None:
    body = a_batch()
    with api(engine, tmp_path / "rest") as (_, url):
        wait_until(partial(is_ready, url), "REST has read everything")
        first = httpx.post(url + PATH, json=body, timeout=30)
        assert first.status_code == 202, first.text
        wait_until(partial(is_finished, url, body["batchId"]), "the batch is finished")
        done = report(url, body["batchId"])
        items = httpx.get(f"{url}{first.headers['Location']}/items?limit=200").json()["items"]
        again = httpx.post(url + PATH, json=body, timeout=30)
        other = httpx.post(url + PATH, json=body | {"user": "fin:else"}, timeout=30)

    assert done["matched"] == done["applied"] + done["refused"] > 100
    assert done["effect"]["taxIncludedAmount"] == -10_000 * done["applied"]
    assert [item["adjustment"]["batch"] for item in items if item["adjustment"]] == [
        body["batchId"]
    ] * done["applied"]
    assert again.status_code == 202
    assert again.json() == done
    assert (other.status_code, other.json()["code"]) == (422, "REQUEST_ID_REUSED")
    engine.check()


def matches_all(url: str, body: dict[str, Any]) -> bool:
    """Whether a dry run finds each item."""
    dry = httpx.post(url + PATH, json=body | {"dryRun": True}, timeout=30).json()
    return bool(dry.get("matched") == ITEMS)


def decided(url: str, batch_id: str) -> int:
    """How many items have a result."""
    now = report(url, batch_id)
    return int(now["applied"] + now["refused"]) if now else 0


@pytest.mark.usefixtures("rated")
def test_whoever_is_killed_the_batch_goes_on_and_adjusts_each_event_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    monkeypatch.setenv("ADJUST_BATCH_IN_FLIGHT", str(IN_FLIGHT))
    body = a_batch(filter={"usageType": OF_THE_BATCH})
    batch_id, step = body["batchId"], ITEMS // (KILLS + 1)
    for life in range(KILLS + 1):
        with engine.worker("batches") as worker, api(engine, tmp_path / "killed") as (_, url):
            worker.wait_ready()
            wait_until(partial(is_ready, url), "REST has read everything", LIFE_MAX_S)
            before = decided(url, batch_id)
            if life == 0:  # then it goes on by itself
                wait_until(partial(matches_all, url, body), "all items are there", LIFE_MAX_S)
                assert httpx.post(url + PATH, json=body, timeout=30).status_code == 202
            if life < KILLS:
                is_further = partial(has_decided, url, batch_id, before + step // 2)
                wait_until(is_further, f"life {life} decides", LIFE_MAX_S)
                now = decided(url, batch_id)
                _log.info("life %d decided %d, %d in all", life, now - before, now)
            else:
                wait_until(partial(is_finished, url, batch_id), "it is finished", LIFE_MAX_S)
                assert worker.stop() == 0
                done, found = report(url, batch_id), items(url, batch_id)
    _log.info("%d kills, %.0f s: %s", KILLS, time.monotonic() - began, done)

    assert done["matched"] == ITEMS
    assert_once(engine, done, found)


@pytest.mark.usefixtures("worker")
def test_a_batch_whose_read_model_is_deleted_goes_on_and_reports_all_of_its_items(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADJUST_BATCH_IN_FLIGHT", "2")  # so that it is not over at once
    body, home = a_batch(), tmp_path / "rest"
    batch_id = body["batchId"]
    with api(engine, home) as (process, url):
        wait_until(partial(is_ready, url), "REST has read everything")
        assert httpx.post(url + PATH, json=body, timeout=30).status_code == 202
        wait_until(partial(has_decided, url, batch_id, 1), "some items are decided")
        for file in home.glob("api.db*"):
            file.unlink()
        assert process.wait(30) == 1
    with api(engine, home) as (_, url):
        wait_until(partial(is_finished, url, batch_id), "the batch is finished")
        done, found = report(url, batch_id), items(url, batch_id)

    assert_once(engine, done, found)


def has_decided(url: str, batch_id: str, least: int) -> bool:
    """Whether so many items have a result."""
    return decided(url, batch_id) >= least


def items(url: str, batch_id: str) -> list[dict[str, Any]]:
    """Give the results of all items."""
    found, query = [], "limit=200"
    while query:
        page = httpx.get(f"{url}{PATH}/{batch_id}/items?{query}", timeout=30).json()
        found += page["items"]
        query = f"limit=200&cursor={page['next']}" if page["next"] else ""
    return found


def assert_once(engine: Engine, done: dict[str, Any], found: list[dict[str, Any]]) -> None:
    """The report is the sum of the items, and each event of these was adjusted once."""
    applied = [each["adjustment"] for each in found if each["adjustment"]]
    codes = Counter(each["errors"][0]["code"] for each in found if each["errors"])
    assert (done["matched"], done["applied"]) == (len(found), len(applied))
    assert (done["refused"], done["refusals"]) == (codes.total(), dict(codes))
    assert done["effect"] == {
        name: sum(adjustment["effect"][name] for adjustment in applied) for name in done["effect"]
    }
    adjusted = Counter(
        record.headers["ce_subject"]
        for record in Log(engine.options, ["business-transactions"]).records()
        if record.headers["X-Ocs-Io-message-code"] == "adjustment"
        and json.loads(record.value or b"")["batch"] == done["batchId"]
    )
    assert adjusted == Counter(adjustment["refId"] for adjustment in applied)
    events = {(each["account"]["refId"], each["chargeableEventRefId"]) for each in found}
    assert len(events) == len(found)
    engine.check()


@pytest.mark.usefixtures("worker")
def test_the_command_line_runs_a_file_of_items(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "items.csv"
    file.write_text("account,chargeableEventRefId\nACC-0000001,CE-0000001-000\nACC-0000001,CE-x\n")
    adjustment = json.dumps(a_batch()["adjustment"])
    with api(engine, tmp_path / "rest") as (_, url):
        wait_until(partial(is_ready, url), "REST has read everything")
        command = [sys.executable, "-m", "tools.batch", "--user", "fin:omar", "--url", url]
        command += ["--items", str(file), "--adjustment", adjustment]
        dry = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=False)
        unsure = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        real = subprocess.run([*command, "--yes"], capture_output=True, text=True, check=False)
    assert (dry.returncode, unsure.returncode, real.returncode) == (0, 3, 1), real.stdout
    for shown in (dry.stdout, real.stdout):
        assert "CHARGEABLE_EVENT_NOT_FOUND" in shown
        assert "-0.010000" in shown
    engine.check()

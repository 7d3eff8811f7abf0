"""Batches of adjustments over a real engine: whoever dies, each event is adjusted once."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kafka.conftest import Engine
from tests.kafka.test_read_model import api, is_ready
from tools.waiting import wait_until
from tools.workers import WorkerProcess

PATH = "/v1/adjustment-batches"
KILLS = int(os.environ.get("KILLS", "2"))


@pytest.fixture
def worker(engine: Engine) -> Iterator[WorkerProcess]:
    """A worker that stops orderly."""
    with engine.worker("batches") as worker:
        yield worker.wait_ready()
        assert worker.stop() == 0


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
        "filter": {"kind": "USAGE"},
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


def decided(url: str, batch_id: str) -> int:
    """How many items have a result."""
    now = report(url, batch_id)
    return int(now["applied"] + now["refused"]) if now else 0


def goes_on(url: str, batch_id: str, before: int) -> bool:
    """Whether more items have a result than before, or all have."""
    return decided(url, batch_id) > before or is_finished(url, batch_id)


def test_whoever_is_killed_the_batch_goes_on_and_adjusts_each_event_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADJUST_BATCH_IN_FLIGHT", "10")  # so that it is not over at once
    body = a_batch()
    batch_id = body["batchId"]
    with ExitStack() as stack:
        bystander = stack.enter_context(api(engine, tmp_path / "bystander"))[1]
        wait_until(partial(is_ready, bystander), "REST has read everything")
        before = 0
        for life in range(KILLS):
            with engine.worker("batches") as worker, api(engine, tmp_path / "killed") as (_, url):
                worker.wait_ready()
                wait_until(partial(is_ready, url), "REST has read everything")
                answer = httpx.post(url + PATH, json=body, timeout=30)
                assert answer.status_code == 202, answer.text
                wait_until(partial(goes_on, bystander, batch_id, before), f"life {life} decides")
                before = decided(bystander, batch_id)
        with engine.worker("batches") as worker:
            worker.wait_ready()
            wait_until(partial(is_finished, bystander, batch_id), "the batch is finished")
            assert worker.stop() == 0
        done = report(bystander, batch_id)

    assert done["applied"] + done["refused"] == done["matched"] > 100
    assert done["effect"]["taxIncludedAmount"] == -10_000 * done["applied"]
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

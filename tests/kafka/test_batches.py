"""Batches of adjustments over a real engine: whoever dies, each event is adjusted once."""

import os
import uuid
from collections.abc import Iterator
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


@pytest.fixture(scope="module", autouse=True)
def worker(engine: Engine) -> Iterator[WorkerProcess]:
    """One worker for all tests of this file."""
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

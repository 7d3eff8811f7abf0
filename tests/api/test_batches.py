"""Batches over REST on an engine in memory: dry, then for good; the reports agree."""

import asyncio
import json
import uuid
from collections import Counter
from contextlib import AsyncExitStack
from itertools import chain, islice
from typing import Any

import httpx
import pytest
import sqlalchemy as sql

from api.batches.entries import Item, Part, Selected, request_id_of
from api.batches.log import entry_bytes
from api.batches.reports import Batch, Batches
from api.batches.submission import request_of
from api.desk import DRY_RUNS, Desk
from api.store import Store
from api.tables import BATCH_PART
from tests.api.fakes import KeptLog, ListedTopic
from tests.api.in_memory import EngineInMemory
from tests.builders import account_body, event_body
from tests.postgres import on_both_databases

pytestmark = on_both_databases

PATH = "/v1/adjustment-batches"
BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
ACCOUNTS, EVENTS = 4, 5
ADJUSTMENT = {
    "chargeType": "CREDIT",
    "chargeAdjustment": 3_000_000,
    "currency": "EUR",
    "taxIncluded": True,
}
BODY: dict[str, Any] = {
    "batchId": BATCH_ID,
    "user": "fin:omar",
    "filter": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"},
    "adjustment": ADJUSTMENT,
}


class Scene:
    """An engine in memory, its read model, and the topic of batches."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._engine, self.batches = store.engine, Batches(store.engine)
        self.engine = EngineInMemory(store)
        assert isinstance(desk.batch_log, KeptLog)
        self._log = desk.batch_log
        for account in range(ACCOUNTS):
            name = f"ACC-{account}"
            billing = account == ACCOUNTS - 1
            self.engine.take("account", account_body(refId=name, billingInProgress=billing), name)
            for number in range(EVENTS):
                self._rate(name, f"CE-{account}-{number}", number)

    def _rate(self, account: str, event: str, number: int) -> None:
        dates = {"eventDate": "2026-12-01T00:00:00Z"} if number == 0 else {}
        currency = {"currency": "USD"} if number == 1 else {}
        amounts = {"taxExcludedAmount": 1, "taxAmount": 1, "taxIncludedAmount": 2}
        little = {"original": amounts} if number == 2 else {}
        body = event_body(refId=event, account={"refId": account}, **dates, **currency, **little)
        self.engine.take("event", body, account)

    def select(self, selection: str, *parts: list[Item], count: int | None = None) -> None:
        """Write a selection as the runner does."""
        name, number = uuid.uuid5(uuid.NAMESPACE_OID, selection).hex, 0
        for items in parts:
            self._log.keep(BATCH_ID, entry_bytes(Part(name, number, items)))
            number += len(items)
        selected = Selected(name, number if count is None else count)
        self._log.keep(BATCH_ID, entry_bytes(selected))

    def run(self, *, limit: int = 1000) -> None:
        """Send what has no result, as the runner does, and let the read model see the results."""
        batch = self.batch
        for item in islice(chain.from_iterable(self.batches.undecided(batch)), limit):
            asked, request_id = batch.definition, request_id_of(BATCH_ID, item)
            body = request_of(asked.adjustment, request_id, asked.user, item)
            self.engine.take("request", body, item.account)

    @property
    def batch(self) -> Batch:
        """The batch as it is now."""
        found = self.batches.batch(BATCH_ID)
        assert found
        return found

    @property
    def kept_items(self) -> int:
        """How many rows there are, of whatever selection."""
        with self._engine.connect() as connection:
            return connection.scalar(sql.select(sql.func.sum(BATCH_PART.c.size))) or 0

    def selected(self) -> list[Item]:
        """What the filter of the batch means now."""
        asked = self.batch.definition
        assert asked.filter
        return [
            Item(f"ACC-{account}", f"CE-{account}-{number}")
            for account in range(ACCOUNTS)
            for number in range(2, EVENTS)
        ]


@pytest.fixture
def scene(store: Store, desk: Desk) -> Scene:
    return Scene(store, desk)


async def report(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(f"{PATH}/{BATCH_ID}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def items(client: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"{PATH}/{BATCH_ID}/items?{query}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_dry_run_tells_what_the_batch_then_comes_to(
    client: httpx.AsyncClient, scene: Scene, topic: ListedTopic
) -> None:
    dry = (await client.post(PATH, json=BODY | {"dryRun": True})).json()
    assert (dry["matched"], dry["applied"], dry["refused"], dry["pending"]) == (12, 6, 6, 0)
    assert dry["refusals"] == {"BILLING_IN_PROGRESS": 3, "CREDIT_EXCEEDS_REMAINING": 3}
    assert dry["effect"]["taxIncludedAmount"] == -18_000_000
    assert (await client.get(f"{PATH}/{BATCH_ID}")).status_code == 404
    assert topic.sent == []

    assert (await client.post(PATH, json=BODY)).status_code == 202
    scene.select("s1", scene.selected())
    scene.run()

    real = await report(client)
    same = ("matched", "applied", "refused", "pending", "effect", "refusals", "user", "batchId")
    assert {name: dry[name] for name in same} == {name: real[name] for name in same}
    assert (real["state"], dry["state"], real["dryRun"]) == ("FINISHED", "FINISHED", False)
    found = await items(client)
    assert [_timeless(each) for each in found] == [_timeless(each) for each in dry["items"]]


def _timeless(result: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps({**result, "requestedAt": None})
    plain: dict[str, Any] = json.loads(text)
    if plain["adjustment"]:
        plain["adjustment"].update(requestedAt=None, batch=None)
    return plain


async def test_a_report_is_the_sum_of_the_items_at_any_time(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    await client.post(PATH, json=BODY)
    scene.select("s1", scene.selected()[:5], scene.selected()[5:])
    for _ in range(13):
        now, found = await report(client), await items(client)
        effects = [each["adjustment"]["effect"] for each in found if each["adjustment"]]
        assert now["applied"] == len(effects)
        assert now["refused"] == len(found) - len(effects)
        assert now["pending"] == 12 - len(found)
        assert now["effect"]["taxAmount"] == sum(effect["taxAmount"] for effect in effects)
        assert now["refusals"] == dict(
            Counter(each["errors"][0]["code"] for each in found if each["errors"])
        )
        assert (now["state"] == "FINISHED") == (len(found) == 12) == bool(now["finishedAt"])
        scene.run(limit=1)


async def test_an_item_that_is_sent_again_is_counted_once(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    await client.post(PATH, json=BODY)
    scene.select("s1", scene.selected())
    item = scene.selected()[1]
    request_id = request_id_of(BATCH_ID, item)
    for _ in range(3):
        body = request_of(ADJUSTMENT, request_id, "fin:omar", item)
        scene.engine.take("request", body, item.account)
    now = await report(client)
    assert (now["applied"], now["pending"]) == (1, 11)


async def test_the_first_whole_selection_in_the_log_counts(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    await client.post(PATH, json=BODY)
    scene.select("torn", scene.selected()[:2], count=3)
    assert (await report(client))["matched"] == 0
    scene.select("first", scene.selected()[:4])
    scene.select("second", scene.selected())
    assert (await report(client))["matched"] == 4
    assert scene.kept_items == 4
    scene.run()
    assert (await report(client))["state"] == "FINISHED"


async def test_a_filter_that_matches_nothing_is_finished(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    nothing = BODY | {"filter": {"usageType": "TELEPATHY"}}
    dry = (await client.post(PATH, json=nothing | {"dryRun": True})).json()
    assert (dry["matched"], dry["items"], dry["state"]) == (0, [], "FINISHED")
    await client.post(PATH, json=nothing)
    scene.select("s1")
    now = await report(client)
    assert (now["matched"], now["state"]) == (0, "FINISHED")


async def test_a_list_is_adjusted_as_it_is(client: httpx.AsyncClient, scene: Scene) -> None:
    listed = [
        {"account": {"refId": "ACC-0"}, "chargeableEventRefId": "CE-0-3"},
        {"account": {"refId": "ACC-0"}, "chargeableEventRefId": "CE-nowhere"},
        {"account": {"refId": "ACC-0"}, "chargeableEventRefId": "CE-0-1"},
    ]
    body = {key: value for key, value in BODY.items() if key != "filter"} | {"items": listed}
    dry = (await client.post(PATH, json=body | {"dryRun": True})).json()
    first = await client.post(PATH, json=body)
    assert first.json()["matched"] == 3
    scene.run()
    now = await report(client)
    assert now["refusals"] == dry["refusals"]
    assert now["refusals"] == {"CHARGEABLE_EVENT_NOT_FOUND": 1, "CURRENCY_MISMATCH": 1}
    found = await items(client, "status=REFUSED")
    assert [each["chargeableEventRefId"] for each in found] == ["CE-nowhere", "CE-0-1"]


async def test_the_same_batch_again_is_answered_and_another_of_its_id_is_refused(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    first = await client.post(PATH, json=BODY)
    assert first.headers["Location"] == f"{PATH}/{BATCH_ID}"
    again = await client.post(PATH, json=BODY | {"batchId": BATCH_ID.upper()})
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await client.post(PATH, json=BODY | {"user": "fin:else"})
    assert (other.status_code, other.json()["code"]) == (422, "REQUEST_ID_REUSED")
    assert scene.batch.user == "fin:omar"


@pytest.mark.usefixtures("scene")
async def test_the_list_of_batches_is_paged_newest_first(client: httpx.AsyncClient) -> None:
    ids = {str(uuid.uuid4()) for _ in range(5)}
    for batch_id in ids:
        await client.post(PATH, json=BODY | {"batchId": batch_id})
    found, query = [], "limit=2"
    while query:
        page = (await client.get(f"{PATH}?{query}")).json()
        found += [each["batchId"] for each in page["items"]]
        query = f"limit=2&cursor={page['next']}" if page["next"] else ""
    assert len(found) == len(ids)
    assert set(found) == ids


async def test_a_batch_can_be_followed_to_its_end(client: httpx.AsyncClient, scene: Scene) -> None:
    await client.post(PATH, json=BODY)
    scene.select("s1", scene.selected())
    scene.run()
    stream = await client.get(f"{PATH}/{BATCH_ID}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    event, data = stream.text.strip().split("\n")
    assert event == "event: finished"
    assert json.loads(data.removeprefix("data: "))["pending"] == 0


@pytest.mark.usefixtures("scene")
async def test_a_dry_run_waits_for_its_turn_but_not_for_ever(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    async with AsyncExitStack() as others:
        for _ in range(DRY_RUNS):
            await others.enter_async_context(desk.dry_runs)
        busy = await client.post(PATH, json=BODY | {"dryRun": True})
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")

    dry = [client.post(PATH, json=BODY | {"dryRun": True}) for _ in range(3 * DRY_RUNS)]
    assert {answer.status_code for answer in await asyncio.gather(*dry)} == {200}

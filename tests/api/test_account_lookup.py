"""A request that names no account goes to the one that it is meant for, or nowhere."""

import json
from typing import Any

import httpx
import pytest

from api.rows import Rows
from api.store import Store
from tests.api.builders import ACCOUNT, REQUEST_ID, a_received, a_refusal, a_request, an_answer
from tests.api.fakes import ListedTopic, SettledReader
from tests.api.in_memory import EngineInMemory
from tests.builders import event_body

PATH, PREVIEW = "/v1/adjustments", "/v1/adjustments/preview"
NO_WAIT = {"Prefer": "respond-async"}
NAMELESS = a_request(account=...)
on_both_paths = pytest.mark.parametrize("path", [PATH, PREVIEW])


def have_event(store: Store, *accounts: str) -> None:
    """Let these accounts have the event."""
    for account in accounts:
        EngineInMemory(store).take("event", event_body(account={"refId": account}), account)


async def ask(client: httpx.AsyncClient, path: str = PATH, **changes: Any) -> httpx.Response:
    """Ask without an account."""
    return await client.post(path, json=NAMELESS | changes, headers=NO_WAIT)


async def test_a_request_goes_to_the_account_that_has_the_event_as_it_came(
    client: httpx.AsyncClient, topic: ListedTopic, reader: SettledReader, store: Store
) -> None:
    have_event(store, "ACC-2")
    reader.is_behind = True  # what is there is there, however far the topics were read
    body = json.dumps(NAMELESS, indent=3).encode()
    answer = await client.post(PATH, content=body, headers=NO_WAIT)
    assert topic.sent == [("ACC-2", body, None)]
    assert answer.headers["location"] == f"{PATH}/{REQUEST_ID}?account=ACC-2"
    assert answer.json()["account"] == {"refId": "ACC-2"}


async def test_the_idempotency_key_may_stand_in_here_too(
    client: httpx.AsyncClient, topic: ListedTopic, store: Store
) -> None:
    have_event(store, "ACC-2")
    headers = {**NO_WAIT, "Idempotency-Key": REQUEST_ID}
    asked = a_request(account=None, requestId=...)
    assert (await client.post(PATH, json=asked, headers=headers)).status_code == 202
    assert topic.sent[0][0] == "ACC-2"


@pytest.mark.parametrize("is_decided", [True, False])
async def test_a_repeat_goes_where_the_first_one_went(
    client: httpx.AsyncClient,
    topic: ListedTopic,
    store: Store,
    is_decided: bool,  # noqa: FBT001 - one of two cases
) -> None:
    have_event(store, ACCOUNT, "ACC-2")
    answers = [an_answer(a_refusal())] if is_decided else []
    store.keep(Rows(requests=[a_received()], answers=answers))
    assert (await ask(client)).status_code == 202
    assert topic.sent[0][0] == ACCOUNT


async def test_a_malformed_request_does_not_take_the_id(
    client: httpx.AsyncClient, topic: ListedTopic, store: Store
) -> None:
    have_event(store, "ACC-2")
    EngineInMemory(store).take("request", a_request(user=...))
    assert (await ask(client)).status_code == 202
    assert topic.sent[0][0] == "ACC-2"


async def test_an_id_of_two_accounts_leaves_it_to_the_event(
    client: httpx.AsyncClient, topic: ListedTopic, store: Store
) -> None:
    have_event(store, "ACC-2")
    store.keep(Rows(requests=[a_received(), a_received("ACC-2")]))
    assert (await ask(client)).status_code == 202
    assert topic.sent[0][0] == "ACC-2"


@on_both_paths
async def test_an_event_of_two_accounts_needs_an_account(
    client: httpx.AsyncClient, topic: ListedTopic, store: Store, path: str
) -> None:
    have_event(store, ACCOUNT, "ACC-2")
    answer = await ask(client, path)
    assert answer.status_code == 409
    (fault,) = answer.json()["errors"]
    assert (fault["code"], fault["field"]) == ("AMBIGUOUS_ID", "chargeableEventRefId")
    assert f"{ACCOUNT}, ACC-2" in fault["message"]
    assert topic.sent == []


@on_both_paths
async def test_an_event_that_is_nowhere_is_not_found(
    client: httpx.AsyncClient, topic: ListedTopic, path: str
) -> None:
    answer = await ask(client, path)
    assert answer.status_code == 404
    message = "There is no chargeable event CE-500001."
    fault = {"code": "CHARGEABLE_EVENT_NOT_FOUND", "field": "chargeableEventRefId"}
    assert answer.json() == {
        "type": "/problems/chargeable-event-not-found",
        "title": "The chargeable event is not known",
        "status": 404,
        "detail": message,
        "instance": path,
        "code": "CHARGEABLE_EVENT_NOT_FOUND",
        "requestId": REQUEST_ID,
        "account": None,
        "chargeableEventRefId": "CE-500001",
        "errors": [fault | {"message": message}],
        "remaining": None,
        "chargeableEvent": None,
        "requestedAt": None,
    }
    assert topic.sent == []


@on_both_paths
async def test_no_event_is_said_to_be_nowhere_before_all_was_read(
    client: httpx.AsyncClient, topic: ListedTopic, reader: SettledReader, path: str
) -> None:
    reader.is_behind = True
    answer = await ask(client, path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "Nothing was sent." in answer.json()["detail"]
    assert topic.sent == []


async def test_an_event_that_was_still_to_be_read_is_found(
    client: httpx.AsyncClient, topic: ListedTopic, reader: SettledReader, store: Store
) -> None:
    reader.catches_up_by = lambda: have_event(store, "ACC-2")
    assert (await ask(client)).status_code == 202
    assert topic.sent[0][0] == "ACC-2"


async def test_another_accounts_event_is_never_taken_where_one_is_named(
    client: httpx.AsyncClient, topic: ListedTopic, store: Store
) -> None:
    have_event(store, "ACC-2")
    await ask(client, account={"refId": ACCOUNT})
    assert topic.sent[0][0] == ACCOUNT

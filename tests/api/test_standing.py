"""Asking what has become of a request."""

import asyncio

import httpx
import pytest

from api.desk import Desk
from api.results import Answer
from api.rows import Rows
from api.store import Store
from tests.api.builders import (
    ACCOUNT,
    REQUEST_ID,
    a_received,
    a_refusal,
    a_result,
    an_answer,
)
from tests.api.fakes import SettledReader

PATH = f"/v1/adjustments/{REQUEST_ID}"
WAIT = {"Prefer": "wait=20"}


async def decide(desk: Desk, store: Store, answer: Answer) -> None:
    """Read a result as soon as someone waits for it."""
    async with asyncio.timeout(5):
        while not desk.waiters.count:  # noqa: ASYNC110 - a caller tells nobody that it waits
            await asyncio.sleep(0)
    store.keep(Rows(answers=[answer]))
    desk.waiters.deliver(answer)


@pytest.mark.parametrize("value", [a_result(), a_refusal()])
async def test_a_decided_request_is_answered_with_its_result(
    client: httpx.AsyncClient, store: Store, value: bytes
) -> None:
    store.keep(Rows(requests=[a_received()], answers=[an_answer(value)]))
    for path in (PATH, f"/v1/adjustments/{REQUEST_ID.upper()}", f"{PATH}?account={ACCOUNT}"):
        answer = await client.get(path)
        assert (answer.status_code, answer.content) == (200, value)


async def test_a_result_whose_request_is_gone_is_found_by_its_id_and_in_lists(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.keep(Rows(answers=[an_answer(a_result())]))
    assert (await client.get(PATH)).content == a_result()
    for query in (f"account={ACCOUNT}", "event=CE-500001", "status=APPLIED"):
        listed = (await client.get(f"/v1/adjustments?{query}")).json()["items"]
        assert [each["requestId"] for each in listed] == [REQUEST_ID], query


async def test_an_undecided_request_is_received(client: httpx.AsyncClient, store: Store) -> None:
    store.keep(Rows(requests=[a_received()]))
    answer = await client.get(PATH)
    assert answer.status_code == 200
    assert answer.json() | {"status": "RECEIVED", "errors": [], "adjustment": None} == answer.json()


async def test_a_long_poll_ends_with_the_result(
    client: httpx.AsyncClient, desk: Desk, store: Store
) -> None:
    store.keep(Rows(requests=[a_received()]))
    answer, _ = await asyncio.gather(
        client.get(PATH, headers=WAIT), decide(desk, store, an_answer(a_result()))
    )
    assert answer.content == a_result()


async def test_a_long_poll_that_ends_without_a_result_says_received(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.keep(Rows(requests=[a_received()]))
    answer = await client.get(PATH, headers={"Prefer": "wait=1"})
    assert answer.json()["status"] == "RECEIVED"


async def test_events_end_with_the_result(
    client: httpx.AsyncClient, desk: Desk, store: Store
) -> None:
    store.keep(Rows(requests=[a_received()]))
    answer, _ = await asyncio.gather(
        client.get(PATH + "/events"), decide(desk, store, an_answer(a_result()))
    )
    assert answer.headers["content-type"].startswith("text/event-stream")
    received, decided = answer.text.strip().split("\n\n")
    assert received.startswith("event: received\ndata: {")
    assert decided == f"event: decided\ndata: {a_result().decode()}"


async def test_events_of_a_decided_request_are_its_result(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.keep(Rows(requests=[a_received()], answers=[an_answer(a_result())]))
    answer = await client.get(PATH + "/events")
    assert answer.text == f"event: decided\ndata: {a_result().decode()}\n\n"


@pytest.mark.parametrize("path", ["", "/events"])
async def test_a_request_that_was_never_received_is_not_found(
    client: httpx.AsyncClient, path: str
) -> None:
    for request_id in (REQUEST_ID, "no-guid", "%00", "%ff", "a" * 5000):
        answer = await client.get(f"/v1/adjustments/{request_id}{path}", headers=WAIT)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["", "/events"])
async def test_nothing_is_said_not_to_be_there_before_all_was_read(
    client: httpx.AsyncClient, reader: SettledReader, path: str
) -> None:
    reader.is_behind = True
    answer = await client.get(PATH + path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("path", ["", "/events"])
async def test_that_nothing_was_asked_needs_the_requests_alone(
    client: httpx.AsyncClient, reader: SettledReader, path: str
) -> None:
    reader.is_behind, reader.read_even_so = True, frozenset({"adjustment-requests"})
    assert (await client.get(PATH + path)).status_code == 404


@pytest.mark.parametrize("path", ["", "/events"])
async def test_an_id_of_two_accounts_needs_an_account(
    client: httpx.AsyncClient, store: Store, path: str
) -> None:
    store.keep(
        Rows(
            requests=[a_received(), a_received(account="ACC-2")],
            answers=[an_answer(a_result())],
            positions={},
        )
    )
    answer = await client.get(PATH + path)
    assert (answer.status_code, answer.json()["code"]) == (409, "AMBIGUOUS_ID")
    named = await client.get(f"{PATH}{path}?account={ACCOUNT}")
    assert named.status_code == 200
    assert a_result() in named.content

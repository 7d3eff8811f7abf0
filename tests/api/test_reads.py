"""What a caller sees of searches, events, histories and accounts over HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api.filters import OF_EVENTS, OF_REQUESTS, OWNER
from api.pages import PAGING
from api.rows import Rows
from api.store import Store
from tests.api.builders import ACCOUNT, REQUEST_ID, a_received, a_refusal, a_result, an_answer
from tests.api.fakes import SettledReader
from tests.api.images import entered, image_of
from tests.postgres import on_both_databases

EVENTS, REQUESTS = "/v1/chargeable-events", "/v1/adjustments"
EVENT, OTHER = f"{EVENTS}/CE-500001", "ACC-2"
HISTORY = f"{EVENT}/history"
LISTS = (EVENTS, REQUESTS, HISTORY)
SINGLE = (EVENT, f"/v1/accounts/{ACCOUNT}", f"{REQUESTS}/{REQUEST_ID}")
ABSENT = (
    (f"{EVENTS}/CE-0", "CHARGEABLE_EVENT_NOT_FOUND"),
    (f"{EVENTS}/CE-0/history", "CHARGEABLE_EVENT_NOT_FOUND"),
    (f"{EVENT}?account=ACC-0", "CHARGEABLE_EVENT_NOT_FOUND"),
    ("/v1/accounts/ACC-0", "ACCOUNT_NOT_FOUND"),
)
SEARCHES = (
    ("account=ACC-1001&from=2026-11-03T14:21:09%2B01:00&to=2026-11-03T13:21:10Z", 5),
    ("to=2026-11-03T14:21:09%2B01:00", 0),
    ("from=2026-11-03T13:21:09.000001Z", 0),
    ("usageType=DATA_ROAMING&kind=USAGE&status=RATED&currency=EUR", 5),
    ("adjustmentState=PARTIALLY_CREDITED&minAmount=11100000&maxAmount=11100000", 5),
    ("adjustmentState=NONE", 0),
    ("minAmount=11100001", 0),
    *((f"q={q}", 5) for q in ("CE-", "ACC-1001", "CRM-7")),
    *((f"q={q}", 1) for q in ("CE-500001", REQUEST_ID[:5].upper(), "Roaming+TWICE", "metered")),
    *((f"q={q}", 0) for q in ("E-5", "ce-", "roam", "metered+thrice", "%25", "_", "CE%25")),
)
PARAMETERS = {
    EVENTS: {**OF_EVENTS, **PAGING},
    REQUESTS: {**OF_REQUESTS, **PAGING},
    HISTORY: {**OWNER, **PAGING},
}
STRANGE = (
    *("' OR '1'='1", "\0", "\x1b[2J", "a\r\nb: c", "9" * 10_000, "\u0661\u0662\u0663", "\ufffe"),
    *(
        "../../etc",
        "%",
        "_",
        "*",
        '"',
        "\\",
        "null",
        "[]",
        "{}",
        "-1",
        "NaN",
        "\U0001d7d9",
        "e\u0301",
    ),
)


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with an account, five events of it, and an adjustment of one of them."""
    store.keep(entered(b"account", image_of("account")))
    images = [image_of("chargeable-event", refId=f"CE-50000{number}") for number in range(1, 6)]
    store.keep(entered(b"chargeableEvent", *images))
    store.keep(entered(b"adjustment", image_of("adjustment")))
    store.keep(Rows(requests=[a_received()], answers=[an_answer(a_result())]))
    return store


async def walked(client: httpx.AsyncClient, address: str) -> AsyncIterator[dict[str, Any]]:
    """Follow the links from page to page."""
    following: str | None = address
    while following:
        answer = await client.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for item in page["items"]:
            yield item
        assert ("next" in answer.links) == (page["next"] is not None)
        following = answer.links.get("next", {}).get("url")


async def test_links_lead_through_all_pages(client: httpx.AsyncClient, filled: Store) -> None:
    del filled
    address = f"{EVENTS}?from=2026-01-01T00:00:00%2B01:00&q=CE-5&limit=2"

    found = [event["refId"] async for event in walked(client, address)]

    assert found == [f"CE-50000{number}" for number in range(1, 6)]


async def test_items_are_what_was_published_byte_for_byte(
    client: httpx.AsyncClient, store: Store
) -> None:
    image = image_of("chargeable-event")
    store.keep(entered(b"chargeableEvent", image))

    answer = await client.get(EVENTS)

    assert answer.content == b'{"items":[' + image + b'],"next":null}'


async def test_a_search_finds_nothing_where_nothing_is(client: httpx.AsyncClient) -> None:
    for path in (EVENTS, REQUESTS):
        answer = await client.get(path, params={"account": ACCOUNT})
        assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})


@on_both_databases
async def test_each_filter_is_a_parameter(client: httpx.AsyncClient, filled: Store) -> None:
    del filled
    for query, found in SEARCHES:
        answer = await client.get(f"{EVENTS}?{query}")
        assert len(answer.json()["items"]) == found, query


async def test_requests_are_listed_with_their_results_and_without(
    client: httpx.AsyncClient, store: Store
) -> None:
    refused = an_answer(a_refusal(), account=OTHER)
    waiting = a_received("ACC-3")
    store.keep(Rows(requests=[a_received(), a_received(OTHER), waiting], answers=[refused]))
    store.keep(Rows(answers=[an_answer(a_result())]))

    listed = await client.get(REQUESTS)
    assert [item["status"] for item in listed.json()["items"]] == ["APPLIED", "REFUSED", "RECEIVED"]
    for query in ("status=RECEIVED", "account=ACC-3&event=CE-500001&user=crm:jane"):
        (item,) = (await client.get(f"{REQUESTS}?{query}")).json()["items"]
        assert item == (await client.get(f"{REQUESTS}/{REQUEST_ID}?account=ACC-3")).json()


async def test_an_event_is_given_with_what_remains_and_its_version(
    client: httpx.AsyncClient, filled: Store
) -> None:
    del filled
    answer = await client.get(EVENT)

    image = json.loads(image_of("chargeable-event"))
    assert answer.json() == image | {"remaining": image["current"]}
    assert answer.headers["etag"] == '"2"'


@pytest.mark.parametrize("path", [EVENT, f"/v1/accounts/{ACCOUNT}"])
async def test_who_has_the_version_is_not_given_it_again(
    client: httpx.AsyncClient, filled: Store, path: str
) -> None:
    del filled
    tag = (await client.get(path)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        answer = await client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    for unknown in ('"0"', tag.strip('"'), "", '"*"'):
        assert (await client.get(path, headers={"If-None-Match": unknown})).status_code == 200


async def test_an_account_is_given_as_it_was_published(
    client: httpx.AsyncClient, filled: Store
) -> None:
    del filled
    assert (await client.get(f"/v1/accounts/{ACCOUNT}")).content == image_of("account")


async def test_a_history_is_given_in_its_order(client: httpx.AsyncClient, filled: Store) -> None:
    later = REQUEST_ID.replace("7", "8")
    filled.keep(entered(b"adjustment", image_of("adjustment", requestId=later, eventVersion=3)))

    found = [each["eventVersion"] async for each in walked(client, f"{HISTORY}?limit=1")]

    assert found == [2, 3]


async def test_an_event_without_adjustments_has_an_empty_history(
    client: httpx.AsyncClient, filled: Store
) -> None:
    del filled
    answer = await client.get(f"{EVENTS}/CE-500002/history")
    assert answer.json() == {"items": [], "next": None}


@pytest.mark.parametrize("path", [EVENT, HISTORY])
async def test_an_event_of_two_accounts_needs_an_account(
    client: httpx.AsyncClient, filled: Store, path: str
) -> None:
    image = image_of("chargeable-event", account={"refId": OTHER}, version=7)
    filled.keep(entered(b"chargeableEvent", image))

    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "AMBIGUOUS_ID")
    assert f"{ACCOUNT}, {OTHER}" in answer.json()["detail"]
    named = await client.get(path, params={"account": OTHER})
    assert named.status_code == 200
    assert path == HISTORY or named.json()["version"] == 7


@pytest.mark.parametrize(("path", "code"), ABSENT)
async def test_what_is_nowhere_is_not_found_once_all_was_read(
    client: httpx.AsyncClient, filled: Store, reader: SettledReader, path: str, code: str
) -> None:
    del filled
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    reader.is_behind = True
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_every_answer_says_how_far_behind_it_may_be(
    client: httpx.AsyncClient, filled: Store, reader: SettledReader
) -> None:
    del filled
    for lag, said in ((0, "0"), (12, "12"), (None, "unknown")):
        reader.lag = lag
        for path in (*LISTS, *SINGLE, f"{SINGLE[-1]}/events", *(path for path, _ in ABSENT)):
            assert (await client.get(path)).headers["adjust-lag"] == said, path


@pytest.mark.parametrize("path", [*LISTS, *SINGLE, f"{SINGLE[-1]}/events"])
async def test_bad_parameters_are_named_all_at_once(
    client: httpx.AsyncClient, filled: Store, path: str
) -> None:
    del filled
    answer = await client.get(f"{path}?accounts=1&x=%00&accounts=2")
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    told = [(error["code"], error["field"]) for error in answer.json()["errors"]]
    assert told == [("UNKNOWN_ATTRIBUTE", "accounts"), ("UNKNOWN_ATTRIBUTE", "x")]


@on_both_databases
async def test_strange_texts_are_refused_or_find_nothing(
    client: httpx.AsyncClient, filled: Store
) -> None:
    del filled
    for text in STRANGE:
        for path, known in PARAMETERS.items():
            for name in (*known, text):
                answer = await client.get(path, params={name: text})
                found = answer.json()
                if answer.status_code == 400:
                    assert (found["code"], len(found["errors"])) == ("BAD_REQUEST", 1), name
                elif path == HISTORY:
                    assert found["code"] == "CHARGEABLE_EVENT_NOT_FOUND", name
                else:
                    assert (answer.status_code, found["items"]) == (200, []), name
        for path in ("/v1/accounts/{}", EVENTS + "/{}", EVENTS + "/{}/history"):
            answer = await client.get(path.format(quote(text, safe="")))
            assert answer.status_code == 404, path


async def test_a_cursor_serves_its_own_search_only(
    client: httpx.AsyncClient, filled: Store
) -> None:
    filled.keep(entered(b"adjustment", image_of("adjustment", requestId="x", eventVersion=3)))
    filled.keep(Rows(requests=[a_received(OTHER)]))
    cursors = {
        address: (await client.get(f"{address}limit=1")).json()["next"]
        for address in (f"{EVENTS}?", f"{EVENTS}?q=CE&", f"{REQUESTS}?", f"{HISTORY}?")
    }
    assert len(set(cursors.values())) == 4
    for address in cursors:
        for made_by, cursor in cursors.items():
            answer = await client.get(f"{address}cursor={cursor}")
            assert answer.status_code == (200 if made_by == address else 400), (address, made_by)
            if made_by != address:
                assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


async def test_a_cursor_that_was_changed_is_refused(
    client: httpx.AsyncClient, filled: Store
) -> None:
    del filled
    cursor = (await client.get(f"{EVENTS}?limit=1")).json()["next"]
    for place in range(len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + other + cursor[place + 1 :]
        answer = await client.get(EVENTS, params={"cursor": changed})
        assert answer.status_code == 400, place
    for part in (cursor[:-1], cursor[:-4], cursor + "A", cursor * 2, cursor + "=="):
        assert (await client.get(EVENTS, params={"cursor": part})).status_code == 400


async def test_a_page_may_have_another_size_than_the_one_before(
    client: httpx.AsyncClient, filled: Store
) -> None:
    del filled
    cursor = (await client.get(f"{EVENTS}?limit=1")).json()["next"]
    rest = (await client.get(EVENTS, params={"limit": 200, "cursor": cursor})).json()
    assert (len(rest["items"]), rest["next"]) == (4, None)


async def test_no_page_is_larger_than_is_asked_for(client: httpx.AsyncClient, store: Store) -> None:
    images = [image_of("chargeable-event", refId=f"CE-{number}") for number in range(201)]
    store.keep(entered(b"chargeableEvent", *images))
    assert len((await client.get(EVENTS)).json()["items"]) == 50
    assert len((await client.get(EVENTS, params={"limit": 200})).json()["items"]) == 200

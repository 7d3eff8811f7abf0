"""What is wrong with a posted batch is said by attribute or row, all of it at once."""

import asyncio
import json
import sys
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from api.batches.csv_items import read_items
from api.batches.entries import Item
from api.batches.submission import ITEMS_MAX, BatchRejection, judge_batch
from api.desk import Desk
from schemas.adjustment_result import Fault
from schemas.faults import FAULTS_MAX
from tests.api.fakes import KeptLog

PATH = "/v1/adjustment-batches"
BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
ADJUSTMENT = {
    "chargeType": "CREDIT",
    "chargeAdjustment": 1_000_000,
    "currency": "EUR",
    "taxIncluded": True,
}
LISTED = {"account": {"refId": "ACC-1001"}, "chargeableEventRefId": "CE-500001"}
BODY: dict[str, Any] = {
    "batchId": BATCH_ID,
    "user": "fin:omar",
    "filter": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"},
    "adjustment": ADJUSTMENT,
}
OF_LIST = {key: value for key, value in BODY.items() if key != "filter"}
HEADING = b"account,chargeableEventRefId\n"

WRONG: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "no batchId": ({**BODY, "batchId": None}, [("MISSING_ATTRIBUTE", "batchId")]),
    "a batchId that is a number": ({**BODY, "batchId": 7}, [("INVALID_TYPE", "batchId")]),
    "a batchId that is no GUID": ({**BODY, "batchId": "7"}, [("INVALID_FORMAT", "batchId")]),
    "no user": ({**BODY, "user": None}, [("MISSING_ATTRIBUTE", "user")]),
    "an empty user": ({**BODY, "user": ""}, [("INVALID_FORMAT", "user")]),
    "a user that is a list": ({**BODY, "user": []}, [("INVALID_TYPE", "user")]),
    "dryRun as a text": ({**BODY, "dryRun": "true"}, [("INVALID_TYPE", "dryRun")]),
    "neither filter nor items": (OF_LIST, [("MISSING_ATTRIBUTE", "filter")]),
    "both": ({**BODY, "items": [LISTED]}, [("CONFLICTING_ATTRIBUTES", "items")]),
    "a filter that is a text": ({**BODY, "filter": "all"}, [("INVALID_TYPE", "filter")]),
    "an empty filter": ({**BODY, "filter": {}}, [("MISSING_ATTRIBUTE", "filter")]),
    "an unknown filter": (
        {**BODY, "filter": {"colour": "red"}},
        [("UNKNOWN_ATTRIBUTE", "filter.colour")],
    ),
    "from after to": (
        {**BODY, "filter": {"from": "2026-12-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}},
        [("CONFLICTING_ATTRIBUTES", "filter.to")],
    ),
    "a time without an offset": (
        {**BODY, "filter": {"from": "2026-12-01T00:00:00"}},
        [("INVALID_FORMAT", "filter.from")],
    ),
    "a kind that is none": ({**BODY, "filter": {"kind": "X"}}, [("INVALID_ENUM", "filter.kind")]),
    "a filter of a number": ({**BODY, "filter": {"kind": 1}}, [("INVALID_TYPE", "filter.kind")]),
    "items that are an object": ({**OF_LIST, "items": {}}, [("INVALID_TYPE", "items")]),
    "no item": ({**OF_LIST, "items": []}, [("INVALID_FORMAT", "items")]),
    "an item that is a text": ({**OF_LIST, "items": ["CE-1"]}, [("INVALID_TYPE", "items.0")]),
    "an item without an account": (
        {**OF_LIST, "items": [{"chargeableEventRefId": "CE-1"}]},
        [("MISSING_ATTRIBUTE", "items.0.account.refId")],
    ),
    "an item without an event": (
        {**OF_LIST, "items": [LISTED, {"account": {"refId": "A"}}]},
        [("MISSING_ATTRIBUTE", "items.1.chargeableEventRefId")],
    ),
    "an item with more": (
        {**OF_LIST, "items": [{**LISTED, "percent": 1}]},
        [("UNKNOWN_ATTRIBUTE", "items.0.percent")],
    ),
    "an item whose account has more": (
        {**OF_LIST, "items": [{**LISTED, "account": {"refId": "A", "id": 1}}]},
        [("UNKNOWN_ATTRIBUTE", "items.0.account.id")],
    ),
    "an event that is listed twice": (
        {**OF_LIST, "items": [LISTED, LISTED]},
        [("CONFLICTING_ATTRIBUTES", "items.1")],
    ),
    "no adjustment": ({**BODY, "adjustment": None}, [("MISSING_ATTRIBUTE", "adjustment")]),
    "an adjustment that is a text": ({**BODY, "adjustment": "x"}, [("INVALID_TYPE", "adjustment")]),
    "an adjustment without a currency": (
        {**BODY, "adjustment": {**ADJUSTMENT, "currency": None}},
        [("MISSING_ATTRIBUTE", "adjustment.currency")],
    ),
    "an adjustment that is an item's": (
        {**BODY, "adjustment": {**ADJUSTMENT, "expectedVersion": 3, "requestId": BATCH_ID}},
        [
            ("UNKNOWN_ATTRIBUTE", "adjustment.expectedVersion"),
            ("UNKNOWN_ATTRIBUTE", "adjustment.requestId"),
        ],
    ),
    "a comment of more than a request may have": (
        {**BODY, "adjustment": {**ADJUSTMENT, "comment": "x" * 2_000_000}},
        [("INVALID_FORMAT", "adjustment.comment")],
    ),
    "an unknown attribute with a name of that size": (
        {**BODY, "adjustment": {**ADJUSTMENT, "x" * 2_000_000: 1}},
        [("UNKNOWN_ATTRIBUTE", f"adjustment.{'x' * 40}…")],
    ),
    "an unknown attribute": ({**BODY, "speed": 1}, [("UNKNOWN_ATTRIBUTE", "speed")]),
    "several at once": (
        {"dryRun": 1},
        [
            ("MISSING_ATTRIBUTE", "adjustment"),
            ("MISSING_ATTRIBUTE", "batchId"),
            ("MISSING_ATTRIBUTE", "filter"),
            ("MISSING_ATTRIBUTE", "user"),
            ("INVALID_TYPE", "dryRun"),
        ],
    ),
}
WRONG_FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "Row 1 must name the columns account and chargeableEventRefId."),
    "a heading alone": (HEADING, "items must be 1 to 10,000 chargeable events, not 0."),
    "a binary file": (b"\x89PNG\r\n\x1a\n", "Row 1 is not UTF-8 at byte 0; is it a CSV file."),
    "a NUL": (HEADING + b"A,\0\n", "Row 2 has a NUL; is it a CSV file."),
    "empty rows alone": (b"\n\n,\n", "Row 1 must name the columns"),
    "another heading after empty rows": (
        b"\n ; \naccount;event\nA;E\n",
        "Row 3 must name the columns account and chargeableEventRefId.",
    ),
    "another heading": (b"account,event\nA,E\n", "Row 1 must name the columns"),
    "an open quotation": (HEADING + b'A,"E\n', "Row 2 is not CSV: unexpected end of data."),
    "too many fields": (HEADING + b"A,E\nA,E,1\n", "Row 3 has 3 fields instead of 2."),
    "no event": (HEADING + b"A,\n", "row 2, chargeableEventRefId is missing"),
    "an id that is none": (HEADING + b"A B,E\n", "row 2, account must be a text of 1 to 64"),
    "an event twice": (HEADING + b"A,E\n\nA,E\n", "row 4 is the same event as row 2."),
}
GOOD_FILES = {
    "plain": HEADING + b"A,E1\nB,E2\n",
    "a byte-order mark, CRLF": b"\xef\xbb\xbfaccount,chargeableEventRefId\r\nA,E1\r\nB,E2\r\n",
    "semicolons": b"account;chargeableEventRefId\nA;E1\nB;E2",
    "tabs": b"account\tchargeableEventRefId\nA\tE1\nB\tE2\n",
    "quotes": b'"account","chargeableEventRefId"\n"A","E1"\n"B","E2"\n',
    "empty lines and blanks": HEADING + b"\n A , E1 \n\n,\nB,E2\n\n",
    "empty lines before the heading": b"\n\r\n ;;;\naccount;chargeableEventRefId\nA;E1\nB;E2\n",
    "lines that end as they once did": b"account;chargeableEventRefId\rA;E1\rB;E2\r",
    "the other order": b"chargeableEventRefId,account\nE1,A\nE2,B\n",
}


def upload(items: bytes, batch: dict[str, Any] = OF_LIST) -> dict[str, Any]:
    """Give the parts of an upload."""
    return {"batch": (None, json.dumps(batch)), "items": ("items.csv", items, "text/csv")}


@pytest.mark.parametrize("name", WRONG)
async def test_each_fault_is_named_with_its_attribute_and_nothing_is_sent(
    client: httpx.AsyncClient, desk: Desk, name: str
) -> None:
    body, faults = WRONG[name]
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 400
    found = answer.json()
    assert [(fault["code"], fault["field"]) for fault in found["errors"]] == faults
    assert found["code"] == faults[0][0]
    assert isinstance(desk.batch_log, KeptLog)
    assert desk.batch_log.sent == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"\xff", b'{"user":NaN}'])
async def test_what_is_no_object_of_json_is_a_problem(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.post(PATH, content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"NOT_JSON", "NOT_AN_OBJECT"}


async def test_more_items_than_ten_thousand_are_too_many(client: httpx.AsyncClient) -> None:
    items = [{"account": {"refId": "A"}, "chargeableEventRefId": f"E{n}"} for n in range(10_001)]
    answer = await client.post(PATH, json={**OF_LIST, "items": items})
    assert answer.json()["detail"] == "items must be 1 to 10,000 chargeable events, not 10,001."
    rows = HEADING + b"".join(b"A,E%d\n" % n for n in range(ITEMS_MAX + 1))
    answer = await client.post(PATH, files=upload(rows))
    said = "Row 10002 is one too many: there may be 10,000 chargeable events."
    assert answer.json()["detail"] == said


async def test_the_idempotency_key_must_be_the_batch_id(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=BODY, headers={"Idempotency-Key": "other"})
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("name", WRONG_FILES)
async def test_what_is_wrong_with_a_file_is_named_by_row(
    client: httpx.AsyncClient, name: str
) -> None:
    file, said = WRONG_FILES[name]
    answer = await client.post(PATH, files=upload(file))
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(said)


@pytest.mark.parametrize("name", GOOD_FILES)
def test_a_file_is_read_however_it_was_written(name: str) -> None:
    assert read_items(GOOD_FILES[name]) == (Item("A", "E1"), Item("B", "E2"))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"batch": (None, "{}")}, "There must be one part items, not 0."),
        ({**upload(b""), "more": (None, "x")}, "The parts are batch and items, not 'more'."),
    ],
)
async def test_an_upload_has_two_parts(
    client: httpx.AsyncClient, parts: dict[str, Any], said: str
) -> None:
    answer = await client.post(PATH, files=parts)
    assert (answer.status_code, answer.json()["detail"]) == (400, said)


async def test_items_of_a_file_go_with_no_others(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, files=upload(GOOD_FILES["plain"], BODY))
    assert [fault["field"] for fault in answer.json()["errors"]] == ["filter"]


async def turns_beside(call: Awaitable[httpx.Response]) -> tuple[httpx.Response, int]:
    """Give the answer, and how often somebody else had a turn of the event loop meanwhile."""
    task, turns = asyncio.ensure_future(call), 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    return task.result(), turns


LARGE: dict[str, dict[str, Any]] = {
    "empty rows": {"files": upload(HEADING + b",\n" * 300_000)},
    "unknown attributes": {"json": {f"x{number}": 1 for number in range(200_000)}},
    "unknown attributes of the adjustment": {
        "json": {"adjustment": {f"x{number}": 1 for number in range(200_000)}}
    },
    "bad items": {"json": {**OF_LIST, "items": [{"x": 1}] * 10_000}},
}


@pytest.mark.parametrize("name", LARGE)
async def test_others_have_their_turns_while_a_large_body_is_judged(
    client: httpx.AsyncClient, name: str
) -> None:
    answer, turns = await turns_beside(client.post(PATH, **LARGE[name]))
    assert answer.status_code == 400
    assert turns > 100  # on the event loop itself it is judged in one


async def test_what_is_told_of_many_faults_is_the_first_of_them(client: httpx.AsyncClient) -> None:
    unknown = [f"x{number}" for number in range(30, 0, -1)]
    item = {"chargeableEventRefId": "E", **dict.fromkeys(unknown, 1)}
    body = {**OF_LIST, **dict.fromkeys(unknown, 1), "items": [LISTED] + [item] * 5}
    answer = await client.post(PATH, json=body)
    missing = [("MISSING_ATTRIBUTE", f"items.{n}.account.refId") for n in range(1, 6)]
    told = sorted([f"items.{n}.{name}" for n in range(1, 6) for name in unknown] + unknown)
    expected = missing + [("UNKNOWN_ATTRIBUTE", name) for name in told]
    errors = [(fault["code"], fault["field"]) for fault in answer.json()["errors"]]
    assert errors == expected[:FAULTS_MAX]


def test_a_file_is_read_no_further_than_to_the_first_row_too_many() -> None:
    rows = HEADING + b"".join(b"A,E%d\n" % n for n in range(ITEMS_MAX + 1))
    (fault,) = read_items(rows + b'A,"E\n')
    assert isinstance(fault, Fault)
    assert f"{ITEMS_MAX:,}" in fault.message


def test_an_adjustment_is_judged_however_deep_it_is_nested() -> None:
    depth = sys.getrecursionlimit()
    for levels in range(depth - 100, depth + 100):
        adjustment = b'{"x":%b%b}' % (b"[" * levels, b"]" * levels)
        judged = judge_batch(b'{"adjustment":%b}' % adjustment, None)
        assert isinstance(judged, BatchRejection)
        assert "adjustment.x" in {fault.field for fault in judged.faults}

"""Tests that any bytes end as a message or as one sentence, never as an exception."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.account import AccountUpsert
from schemas.adjustment import AdjustmentRequest
from schemas.chargeable_event import RatedChargeableEvent
from schemas.dead_letters import DeadLetterCode
from schemas.reading import (
    MalformedRequest,
    Unreadable,
    read_account,
    read_rated_event,
    read_request,
)
from tests.builders import (
    ABSENT,
    REQUEST_ID,
    account_body,
    amounts_body,
    as_bytes,
    event_body,
    request_body,
)
from tests.shapes import UNREADABLE
from tests.shapes.bases import BASES

DEEP = 100_000
READERS = (read_request, read_account, read_rated_event)

UNREADABLE_RECORDS: dict[str, tuple[bytes | None, str]] = {
    **UNREADABLE,
    "nothing": (None, "NO_VALUE"),
    "too long": (as_bytes(request_body()) + b" " * 1024 * 1024, "NOT_JSON"),
    "empty object": (b"{}", "NO_REQUEST_ID"),
    "requestId null": (as_bytes(request_body(requestId=None)), "NO_REQUEST_ID"),
    "requestId empty": (as_bytes(request_body(requestId="")), "NO_REQUEST_ID"),
    "requestId a number": (as_bytes(request_body(requestId=1)), "NO_REQUEST_ID"),
    "requestId a list": (as_bytes(request_body(requestId=[REQUEST_ID])), "NO_REQUEST_ID"),
}
NO_JSON_OBJECT = [it for it, row in UNREADABLE_RECORDS.items() if row[1] != "NO_REQUEST_ID"]

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)
names = st.sampled_from([str(field.alias) for field in AdjustmentRequest.model_fields.values()])
fitting = st.sampled_from(
    [None, True, False, 1, "CREDIT", "DEBIT", "PERCENT", "SET_TO", "FULL", "NO_TAX", "ADJ-1"]
)


@pytest.mark.parametrize("shows", UNREADABLE_RECORDS)
def test_what_cannot_be_answered_says_why(shows: str) -> None:
    value, code = UNREADABLE_RECORDS[shows]
    unreadable = read_request(value)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.code == code
    assert 0 < len(unreadable.text) < 120


@pytest.mark.parametrize("shows", NO_JSON_OBJECT)
@pytest.mark.parametrize("read", READERS[1:])
def test_upserts_are_as_strict_about_json(shows: str, read: Callable[[Any], Any]) -> None:
    value, code = UNREADABLE_RECORDS[shows]
    assert read(value).code == code


def test_an_array_is_named_for_what_it_is() -> None:
    unreadable = read_request(b"[1]")
    assert isinstance(unreadable, Unreadable)
    assert unreadable.text == "The value is a JSON array, not an object."


@pytest.mark.parametrize(
    ("read", "body", "kind"),
    [
        (read_account, account_body(), AccountUpsert),
        (read_rated_event, event_body(), RatedChargeableEvent),
    ],
)
def test_upserts_pass_over_what_is_not_known(
    read: Callable[[Any], Any], body: dict[str, Any], kind: type
) -> None:
    expected = read(as_bytes(body))
    assert isinstance(expected, kind)
    grown = as_bytes(body | {"version": 7, "more": {"x": [1, {"y": None}]}})
    assert read(grown) == expected
    deep = as_bytes(body)[:-1] + b',"more":' + b"[" * DEEP + b"]" * DEEP + b"}"
    assert read(deep) == expected
    long = as_bytes(body)[:-1] + b',"more":' + b"9" * 5000 + b"}"
    assert read(long) == expected


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (account_body(state="CLOSED"), "state"),
        (account_body(taxExempt="no"), "taxExempt"),
        (account_body(currency=None), "currency"),
        (account_body(refId="ACC 1"), "refId"),
        (account_body(billingInProgress=ABSENT), "billingInProgress"),
    ],
)
def test_an_account_that_does_not_fit_names_the_field(body: dict[str, Any], field: str) -> None:
    _assert_invalid(read_account(as_bytes(body)), field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (event_body(account=ABSENT), "account"),
        (event_body(account={}), "account.refId"),
        (event_body(quantity=1.5), "quantity"),
        (event_body(quantity=2**63), "quantity"),
        (event_body(original=amounts_body(-1, 0)), "original.taxExcludedAmount"),
        (event_body(original=amounts_body(10, 2) | {"taxAmount": 3}), "original"),
        (event_body(original=amounts_body(10**15, 1)), "original.taxIncludedAmount"),
        (event_body(tax={"code": "VAT21", "rate": "2100"}), "tax.rate"),
        (event_body(tax={"code": "VAT21", "rate": -1}), "tax.rate"),
        (event_body(status="INVOICED"), "status"),
        (event_body(eventDate="2026-11-03T14:21:09"), "eventDate"),
        (event_body(eventDate="2026-02-30T14:21:09Z"), "eventDate"),
        (event_body(eventDate="2026-11-03T14:21:09+25:00"), "eventDate"),
        (event_body(eventDate="0001-01-01T00:00:00+14:00"), "eventDate"),
        (event_body(eventDate="\u0662026-11-03T14:21:09Z"), "eventDate"),
        (event_body(billingPeriod={"start": "2026-11-01T00:00:00Z"}), "billingPeriod.end"),
    ],
)
def test_an_event_that_does_not_fit_names_the_field(body: dict[str, Any], field: str) -> None:
    _assert_invalid(read_rated_event(as_bytes(body)), field)


def test_many_faults_of_an_upsert_are_counted_not_listed() -> None:
    unreadable = read_rated_event(b"{}")
    _assert_invalid(unreadable, "refId")
    assert isinstance(unreadable, Unreadable)
    assert "and 5 more" in unreadable.text


@pytest.mark.parametrize(
    "moment",
    ["2026-11-03T14:21:09Z", "2026-11-03T14:21:09.123456789-05:30", "2024-02-29T00:00:00Z"],
)
def test_a_time_is_kept_as_it_came(moment: str) -> None:
    read = read_rated_event(as_bytes(event_body(eventDate=moment)))
    assert isinstance(read, RatedChargeableEvent)
    assert read.event_date == moment


@given(st.binary(max_size=60))
def test_any_bytes_are_read_to_something(value: bytes) -> None:
    assert isinstance(read_request(value), AdjustmentRequest | MalformedRequest | Unreadable)
    assert isinstance(read_account(value), AccountUpsert | Unreadable)
    assert isinstance(read_rated_event(value), RatedChargeableEvent | Unreadable)


@given(st.dictionaries(names | st.text(), any_json | fitting, max_size=6))
def test_any_attributes_with_a_request_id_get_an_answer(changes: dict[str, Any]) -> None:
    text = json.dumps(request_body() | changes | {"requestId": REQUEST_ID}, ensure_ascii=False)
    try:
        value = text.encode()
    except UnicodeEncodeError:
        return
    has_constant = any(name in text for name in ("NaN", "Infinity"))
    read = read_request(value)
    assert isinstance(read, AdjustmentRequest | MalformedRequest) or has_constant


@given(
    st.sampled_from(list(BASES.values())),
    st.dictionaries(names, any_json | fitting, max_size=3),
    st.data(),
)
def test_the_fast_way_and_the_slow_way_read_the_same(
    base: dict[str, Any], changes: dict[str, Any], data: st.DataObject
) -> None:
    spaced = json.dumps(base | changes)
    escaped = "".join(
        f"\\u{ord(letter):04x}" if letter.isalpha() and data.draw(st.booleans()) else letter
        for letter in "CE-500001"
    )
    value = spaced.replace("CE-500001", escaped)
    with_mark = value[:-1] + ', "surprise": null}'
    assert read_request(value.encode()) == read_request(with_mark.encode())


def _assert_invalid(found: object, field: str) -> None:
    assert isinstance(found, Unreadable), found
    assert found.code is DeadLetterCode.INVALID_UPSERT
    assert field in found.text

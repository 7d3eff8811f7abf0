"""What is on the topic of batches and this product would not have written is passed over."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from api.batches.entries import LISTED, Definition, Item, Logged, Part, Selected
from api.batches.log import definition_of, entry_bytes, logged
from api.batches.submission import BatchSubmission, judge_batch

BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
SELECTION = "0123456789abcdef0123456789abcdef"
ADJUSTMENT = {"adjustmentMode": "FULL", "chargeType": "CREDIT", "currency": "EUR"}
FILTERED: dict[str, Any] = {
    "type": "definition",
    "user": "fin:omar",
    "filter": {"account": "A"},
    "items": None,
    "adjustment": ADJUSTMENT,
}
LISTED_ITEMS = {**FILTERED, "filter": None, "items": [["A", "E1"], ["A", "E2"]]}
PART = {"type": "part", "selection": SELECTION, "number": 0, "items": [["A", "E1"]]}
SELECTED = {"type": "selected", "selection": SELECTION, "count": 1}
DEEP = b"[" * 3_000 + b"]" * 3_000

STRANGE: dict[str, Any] = {
    "neither filter nor items": {**FILTERED, "filter": None},
    "both": {**FILTERED, "items": [["A", "E1"]]},
    "an empty filter": {**FILTERED, "filter": {}},
    "an unknown filter": {**FILTERED, "filter": {"colour": "red"}},
    "a time that is none": {**FILTERED, "filter": {"from": "now"}},
    "no item": {**LISTED_ITEMS, "items": []},
    "an item twice": {**LISTED_ITEMS, "items": [["A", "E1"]] * 2},
    "an event that is no refId": {**LISTED_ITEMS, "items": [["A", "E 1"]]},
    "too many items": {**LISTED_ITEMS, "items": [["A", f"E{n}"] for n in range(10_001)]},
    "no user": {**FILTERED, "user": ""},
    "a long user": {**FILTERED, "user": "x" * 129},
    "an adjustment of nothing": {**FILTERED, "adjustment": {}},
    "an adjustment without a currency": {
        **FILTERED,
        "adjustment": {**ADJUSTMENT, "currency": None},
    },
    "an adjustment of one item": {**FILTERED, "adjustment": {**ADJUSTMENT, "requestId": BATCH_ID}},
    "a number that no table holds": {**PART, "number": 2**63 - 1},
    "a last number that no table holds": {**PART, "number": 2**31 - 1, "items": [["A", "E"]] * 2},
    "a number below zero": {**PART, "number": -1},
    "a part with an account that is none": {**PART, "items": [["A B", "E1"]]},
    "a part with an event and a line break": {**PART, "items": [["A", "E1\n"]]},
    "a part in another order": {**PART, "items": [["A", "E2"], ["A", "E1"]]},
    "a part with an item twice": {**PART, "items": [["A", "E1"], ["A", "E1"]]},
    "a part of a list": {**PART, "selection": LISTED},
    "a part of a selection with a NUL": {**PART, "selection": "\0"},
    "a selection of fewer than none": {**SELECTED, "count": -1},
    "a selection of more than there can be": {**SELECTED, "count": 2**63},
    "another type": {"type": "other"},
}


def read(value: Any, key: str | None = BATCH_ID, timestamp: int = 1_793_870_000_123) -> Any:
    """Read a record."""
    content = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    key_bytes = None if key is None else key.encode()
    return logged(SimpleNamespace(key=key_bytes, value=content, partition=0, timestamp=timestamp))


@pytest.mark.parametrize("name", STRANGE)
def test_an_entry_that_no_rest_process_writes_is_passed_over(name: str) -> None:
    assert read(STRANGE[name]) is None


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff", DEEP, b'{"a":%b}' % DEEP])
def test_a_record_that_cannot_be_read_is_passed_over(value: bytes | None) -> None:
    assert read(value) is None


@pytest.mark.parametrize("key", [None, "", "\xe9", "7", BATCH_ID.upper()])
def test_a_key_that_is_no_batch_id_as_it_is_written_is_passed_over(key: str | None) -> None:
    assert read(SELECTED, key) is None


def test_a_record_of_a_time_that_is_none_is_passed_over() -> None:
    assert read(SELECTED, timestamp=2**62) is None


@pytest.mark.parametrize(
    "how", [{"filter": {"account": "A"}}, {"items": [("A", "E1"), ("B", "E1")]}]
)
def test_what_was_asked_is_read_as_it_was_written(how: dict[str, Any]) -> None:
    items = [{"account": {"refId": a}, "chargeableEventRefId": e} for a, e in how.get("items", ())]
    body = {"batchId": BATCH_ID, "user": "fin:omar", "adjustment": ADJUSTMENT, **how}
    asked = judge_batch(json.dumps(body | ({"items": items} if items else {})).encode(), None)
    assert isinstance(asked, BatchSubmission)

    found = read(definition_of(asked))

    assert isinstance(found, Logged)
    assert isinstance(found.entry, Definition)
    assert (found.entry.user, found.entry.filter) == (asked.user, asked.filter)
    assert (found.entry.items, found.entry.adjustment) == (asked.items, asked.adjustment)


@pytest.mark.parametrize(
    "entry", [Part(SELECTION, 2**31 - 1, [Item("A", "E")]), Selected(SELECTION, 0)]
)
def test_a_record_of_a_selection_is_read_as_it_was_written(entry: Part | Selected) -> None:
    assert read(entry_bytes(entry)) == Logged(BATCH_ID, 0, "2026-11-05T09:13:20.123Z", entry)


def test_what_was_asked_before_a_default_was_known_is_what_is_asked_now() -> None:
    found = read(FILTERED)
    assert found.entry.adjustment["taxTreatment"] == "PROPORTIONAL"

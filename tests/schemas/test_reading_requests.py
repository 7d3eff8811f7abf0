"""Tests that a request is read, or answered with all that is wrong with its shape."""

import json

import pytest

from schemas.adjustment import AdjustmentMode, AdjustmentRequest, ChargeType, TaxTreatment
from schemas.reading import MalformedRequest, read_request
from tests.builders import ABSENT, REQUEST_ID, as_bytes, request, request_body
from tests.shapes import GOOD, WRONG, WRONG_ACCOUNTS, value_of

ALL_WRONG = WRONG | WRONG_ACCOUNTS
MINIMAL = {"account": ABSENT, "reason": ABSENT, "comment": ABSENT}


def test_a_request_is_read_with_its_defaults() -> None:
    read = request(**MINIMAL)
    assert read.charge_type is ChargeType.CREDIT
    assert read.adjustment_mode is AdjustmentMode.AMOUNT
    assert read.tax_treatment is TaxTreatment.PROPORTIONAL
    assert (read.account, read.reason, read.comment) == (None, None, None)


def test_null_counts_as_absent() -> None:
    nulls = dict.fromkeys(("account", "reason", "comment", "adjustmentMode", "percent"))
    assert request(**nulls) == request(**MINIMAL)


def test_a_request_id_is_read_in_small_letters() -> None:
    assert request(requestId=REQUEST_ID.upper()).request_id == REQUEST_ID


def test_escapes_and_quotation_marks_in_a_text_are_read_as_meant() -> None:
    comment = 'he said "twice" \U0001f600 \\ é'
    assert request(comment=comment).comment == comment
    raw = json.dumps(request_body(comment=comment), ensure_ascii=False).encode()
    assert read_request(raw) == request(comment=comment)


def test_lengths_count_characters_not_bytes() -> None:
    assert request(comment="\U0001f600" * 1000, user="é" * 128).user == "é" * 128


@pytest.mark.parametrize("shows", ALL_WRONG)
def test_all_that_is_wrong_with_a_shape_is_told_in_order(shows: str) -> None:
    body, faults = ALL_WRONG[shows]
    malformed = read_request(value_of(body))
    assert isinstance(malformed, MalformedRequest), malformed
    assert [(fault.code, fault.field) for fault in malformed.faults] == faults
    assert all(fault.field in fault.message for fault in malformed.faults)


@pytest.mark.parametrize("shows", GOOD)
def test_a_good_shape_is_read_without_a_fault(shows: str) -> None:
    value = value_of(GOOD[shows])
    read = read_request(value)
    assert isinstance(read, AdjustmentRequest), read
    read_slowly = read_request(value.rstrip()[:-1] + b', "stranger": null}')
    assert read_slowly == read


def test_the_names_of_a_malformed_request_are_given_back_if_they_are_text() -> None:
    malformed = _malformed(chargeableEventRefId="CE 1", account={"refId": "ACC 1"})
    assert malformed.chargeable_event_ref_id == "CE 1"
    assert malformed.account_ref_id == "ACC 1"
    malformed = _malformed(chargeableEventRefId=5, account={"refId": []}, requestId="not a GUID")
    assert malformed.chargeable_event_ref_id is None
    assert malformed.account_ref_id is None
    assert malformed.request_id == "not a GUID"
    malformed = _malformed(requestId=REQUEST_ID.upper(), account=5)
    assert malformed.request_id == REQUEST_ID
    assert malformed.account_ref_id is None


def test_a_message_never_repeats_much_of_what_came_in() -> None:
    malformed = _malformed(chargeType="x" * 100_000, **{"y" * 100_000: 1})
    assert all(len(fault.message) <= 120 for fault in malformed.faults)
    assert all(len(fault.field) <= 60 for fault in malformed.faults)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_text_nested_endlessly_is_answered_like_any_wrong_type(
    opening: str, closing: str
) -> None:
    nested = opening * 100_000 + "1" + closing * 100_000
    text = json.dumps(request_body(comment="nested")).replace('"nested"', nested)
    malformed = read_request(text.encode())
    assert isinstance(malformed, MalformedRequest)
    assert malformed.account_ref_id == "ACC-1001"
    assert [(fault.code, fault.field) for fault in malformed.faults] == [
        ("INVALID_TYPE", "comment")
    ]


def _malformed(**changes: object) -> MalformedRequest:
    read = read_request(as_bytes(request_body(**changes)))
    assert not isinstance(read, AdjustmentRequest), "nothing was found wrong"
    assert isinstance(read, MalformedRequest), read
    return read

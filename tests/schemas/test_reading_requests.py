"""Tests that a request is read, or answered with all that is wrong with its shape."""

import json

import pytest

from schemas.adjustment import AdjustmentMode, AdjustmentRequest, ChargeType, TaxTreatment
from schemas.reading import MalformedRequest, read_request
from tests.builders import ABSENT, REQUEST_ID, as_bytes, request, request_body

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


@pytest.mark.parametrize(
    ("field", "found", "code"),
    [
        ("requestId", "7d8f3f3e", "INVALID_FORMAT"),
        ("requestId", REQUEST_ID + "\n", "INVALID_FORMAT"),
        ("requestId", REQUEST_ID.replace("7", "\u0667"), "INVALID_FORMAT"),
        ("requestId", "{" + REQUEST_ID[1:-1] + "}", "INVALID_FORMAT"),
        ("user", ABSENT, "MISSING_ATTRIBUTE"),
        ("user", None, "MISSING_ATTRIBUTE"),
        ("user", 7, "INVALID_TYPE"),
        ("user", "", "INVALID_FORMAT"),
        ("user", "u" * 129, "INVALID_FORMAT"),
        ("account", "ACC-1001", "INVALID_TYPE"),
        ("account", ["ACC-1001"], "INVALID_TYPE"),
        ("account.refId", {}, "MISSING_ATTRIBUTE"),
        ("account.refId", {"refId": None}, "MISSING_ATTRIBUTE"),
        ("account.refId", {"refId": 1}, "INVALID_TYPE"),
        ("account.refId", {"refId": "ACC 1001"}, "INVALID_FORMAT"),
        ("account.name", {"refId": "ACC-1001", "name": "Jane"}, "UNKNOWN_ATTRIBUTE"),
        ("chargeableEventRefId", ABSENT, "MISSING_ATTRIBUTE"),
        ("chargeableEventRefId", {"refId": "CE-1"}, "INVALID_TYPE"),
        ("chargeableEventRefId", "C" * 65, "INVALID_FORMAT"),
        ("chargeableEventRefId", "CE-1\n", "INVALID_FORMAT"),
        ("chargeType", ABSENT, "MISSING_ATTRIBUTE"),
        ("chargeType", 1, "INVALID_TYPE"),
        ("chargeType", "REFUND", "INVALID_ENUM"),
        ("chargeType", "credit", "INVALID_ENUM"),
        ("chargeAdjustment", ABSENT, "MISSING_ATTRIBUTE"),
        ("chargeAdjustment", "1", "INVALID_TYPE"),
        ("chargeAdjustment", 1.0, "INVALID_TYPE"),
        ("chargeAdjustment", True, "INVALID_TYPE"),
        ("chargeAdjustment", 0, "AMOUNT_NOT_POSITIVE"),
        ("chargeAdjustment", -1, "AMOUNT_NOT_POSITIVE"),
        ("chargeAdjustment", 10**15 + 1, "AMOUNT_OUT_OF_RANGE"),
        ("chargeAdjustment", 2**64, "AMOUNT_OUT_OF_RANGE"),
        ("currency", ABSENT, "MISSING_ATTRIBUTE"),
        ("currency", "eur", "INVALID_FORMAT"),
        ("currency", "\uff25UR", "INVALID_FORMAT"),
        ("taxIncluded", ABSENT, "MISSING_ATTRIBUTE"),
        ("taxIncluded", "true", "INVALID_TYPE"),
        ("taxIncluded", 1, "INVALID_TYPE"),
        ("reason", 5, "INVALID_TYPE"),
        ("reason", "R" * 65, "INVALID_FORMAT"),
        ("comment", False, "INVALID_TYPE"),
        ("comment", "c" * 1001, "INVALID_FORMAT"),
        ("adjustmentMode", "PERCENT", "INVALID_ENUM"),
        ("adjustmentMode", {}, "INVALID_TYPE"),
        ("taxTreatment", "NO_TAX", "INVALID_ENUM"),
        ("expectedVersion", 2, "UNKNOWN_ATTRIBUTE"),
        ("reversalOf", "ADJ-1", "UNKNOWN_ATTRIBUTE"),
    ],
)
def test_what_is_wrong_with_a_field_has_its_code(field: str, found: object, code: str) -> None:
    malformed = _malformed(**{field.partition(".")[0]: found})
    assert [(fault.code, fault.field) for fault in malformed.faults] == [(code, field)]
    assert field in malformed.faults[0].message


def test_amounts_at_their_limits_are_taken() -> None:
    assert request(chargeAdjustment=1).charge_adjustment == 1
    assert request(chargeAdjustment=10**15).charge_adjustment == 10**15


def test_all_faults_come_at_once_in_the_order_of_the_codes_and_then_by_field() -> None:
    malformed = _malformed(
        zebra=1, apple=1, currency=ABSENT, user=ABSENT, taxIncluded=0, chargeAdjustment=0
    )
    assert [(fault.code, fault.field) for fault in malformed.faults] == [
        ("MISSING_ATTRIBUTE", "currency"),
        ("MISSING_ATTRIBUTE", "user"),
        ("INVALID_TYPE", "taxIncluded"),
        ("UNKNOWN_ATTRIBUTE", "apple"),
        ("UNKNOWN_ATTRIBUTE", "zebra"),
        ("AMOUNT_NOT_POSITIVE", "chargeAdjustment"),
    ]


def test_twenty_faults_are_told_at_most() -> None:
    malformed = _malformed(user=ABSENT, **{f"unknown{number:03}": 1 for number in range(500)})
    assert len(malformed.faults) == 20
    assert malformed.faults[0].field == "user"
    assert malformed.faults[-1].field == "unknown018"


@pytest.mark.parametrize("mode", ["PERCENT", 1, ""])
def test_what_a_broken_mode_may_not_need_is_not_missed(mode: object) -> None:
    malformed = _malformed(
        adjustmentMode=mode, chargeType=ABSENT, chargeAdjustment=ABSENT, taxIncluded=ABSENT
    )
    assert [fault.field for fault in malformed.faults] == ["adjustmentMode"]


def test_what_a_broken_treatment_may_not_need_is_not_missed() -> None:
    malformed = _malformed(taxTreatment="NO_TAX", chargeType=ABSENT, taxIncluded=ABSENT)
    assert [fault.field for fault in malformed.faults] == ["chargeType", "taxTreatment"]


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


@pytest.mark.parametrize(("digits", "code"), [("9", "AMOUNT_OUT_OF_RANGE"), ("-9", None)])
def test_a_number_of_five_thousand_digits_is_out_of_range(digits: str, code: str | None) -> None:
    text = json.dumps(request_body()).replace("1000000", digits + "9" * 5000)
    malformed = read_request(text.encode())
    assert isinstance(malformed, MalformedRequest)
    assert malformed.faults[0].code == (code or "AMOUNT_NOT_POSITIVE")


def test_a_number_beyond_floating_point_is_of_the_wrong_type() -> None:
    malformed = read_request(json.dumps(request_body()).replace("1000000", "1e999").encode())
    assert isinstance(malformed, MalformedRequest)
    assert malformed.faults[0].code == "INVALID_TYPE"


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

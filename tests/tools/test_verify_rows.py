"""A record becomes the row that stores must hold, or belongs to what nobody can read."""

from dataclasses import replace

import pytest

from tests.tools.transactions import ADJUSTMENT, EVENT, Values, published, record
from tools.verify.rows import row_of

NO_DAY = "2026-02-30T00:00:00.000Z"
OUT_OF_RANGE = {"taxExcludedAmount": -(2**63), "taxAmount": 0, "taxIncludedAmount": -(2**63)}
UNBALANCED = {**EVENT["current"], "taxAmount": 0}
UNREADABLE: list[tuple[str, str, Values]] = [
    ("a code that nobody knows", "invoice", ADJUSTMENT),
    ("an attribute is missing", "adjustment", {"refId": "x"}),
    ("another type", "adjustment", {**ADJUSTMENT, "eventVersion": "2"}),
    ("a number of more than 64 bits", "adjustment", {**ADJUSTMENT, "eventVersion": 2**63}),
    ("an effect that does not add up", "adjustment", {**ADJUSTMENT, "effect": UNBALANCED}),
    ("no time", "adjustment", {**ADJUSTMENT, "requestedAt": None}),
    ("a time that is none", "adjustment", {**ADJUSTMENT, "requestedAt": "yesterday, 10:00Z"}),
    ("a day of no calendar", "adjustment", {**ADJUSTMENT, "requestedAt": NO_DAY}),
    ("a time without fractions", "adjustment", {**ADJUSTMENT, "requestedAt": NO_DAY[:19] + "Z"}),
    ("an effect out of range", "adjustment", {**ADJUSTMENT, "effect": OUT_OF_RANGE}),
    ("a text that is too long", "adjustment", {**ADJUSTMENT, "user": "x" * 2_001}),
    ("a time that is not UTC", "adjustment", {**ADJUSTMENT, "requestedAt": EVENT["eventDate"]}),
]


@pytest.mark.parametrize(("code", "image"), [each[1:] for each in UNREADABLE])
def test_what_nobody_can_read_belongs_to_the_records_set_aside(code: str, image: Values) -> None:
    row = row_of(record(0, code, image))

    assert row.table == "set_aside"
    assert row.values["code"] == code


@pytest.mark.parametrize("headers", [{}, {"seq": ""}, {"seq": "+1"}, {"seq": "1" * 19}])
def test_a_record_without_a_number_is_nobodys_image(headers: dict[str, str]) -> None:
    one = published()[0]
    code = {"X-Ocs-Io-message-code": "account"}

    assert row_of(replace(one, headers=code | {"seq": "1"})).table == "account"
    assert row_of(replace(one, headers=code | headers)).table == "set_aside"


@pytest.mark.parametrize(
    ("timestamp_ms", "date"),
    [(0, "1970-01-01"), (86_399_999, "1970-01-01"), (-1, "1970-01-01"), (2**62, "9999-12-31")],
)
def test_every_record_has_a_date(timestamp_ms: int, date: str) -> None:
    one = replace(published()[0], timestamp_ms=timestamp_ms)

    assert row_of(one).values["date"] == date

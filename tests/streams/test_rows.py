"""What is read of a row is what was written, and its JSON the bytes that were published."""

from enum import Enum
from types import NoneType
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.adjustment import Adjustment
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent, Tax
from schemas.forms import INTEGER_MAX, INTEGER_MIN, RATE_MAX
from streams import rows
from streams.domain.decide import adjustment_ref_id, applied_result, decide
from streams.domain.state import State
from tests.builders import account, adjusted, event, noted, request

encode = msgspec.json.Encoder().encode


def entities(entity: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Draw an entity whose attributes have the types that it says."""
    hints = get_type_hints(entity)
    return st.builds(entity, **{name: values(hints[name]) for name in entity.__struct_fields__})


def values(hint: Any) -> st.SearchStrategy[Any]:
    if hint is Amounts:
        one = st.integers(INTEGER_MIN, INTEGER_MAX)
        return st.builds(Amounts, tax_excluded_amount=one, tax_amount=one, tax_included_amount=one)
    if hint is Tax:
        return st.builds(Tax, code=st.text(), rate=st.integers(0, RATE_MAX))
    if parts := get_args(hint):
        return st.none() | values(next(part for part in parts if part is not NoneType))
    if issubclass(hint, msgspec.Struct):
        return entities(hint)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    return st.text() if hint is str else st.integers(1, INTEGER_MAX)


def following(drawn: Adjustment, left: ChargeableEvent) -> Adjustment:
    """Give a drawn adjustment the attributes that follow from the event that it left."""
    account = left.account
    return msgspec.structs.replace(
        drawn,
        ref_id=adjustment_ref_id(account.ref_id, drawn.request_id),
        account=account,
        chargeable_event_ref_id=left.ref_id,
        currency=left.currency,
        after=left.current,
        event_version=left.version,
    )


@given(entities(ChargeableEvent))
def test_an_event_is_read_as_it_was_written(left: ChargeableEvent) -> None:
    row = rows.row_of_event(left)
    assert rows.event_of_row(row) == left
    assert encode(rows.event_of_row(row)) == encode(left)


@given(entities(ChargeableEvent))
def test_an_event_that_was_stored_as_json_is_read(left: ChargeableEvent) -> None:
    assert rows.event_of_row(encode(left)) == left


@given(entities(ChargeableEvent), entities(Adjustment))
def test_an_applied_request_is_told_again_byte_for_byte(
    left: ChargeableEvent, drawn: Adjustment
) -> None:
    applied = following(drawn, left)
    first = rows.applied_answer(b"digest", rows.row_of_event(left), applied)
    read = rows.answer_of_row(rows.row_of_answer(first))
    assert read == first
    assert read.value == encode(applied_result(left, applied))
    assert (read.adjustment, read.content) == (applied, b"digest")
    assert (read.status, read.subject, read.reversed_by) == ("APPLIED", left.ref_id, None)


EVENT_VALUES = [
    "CE-500001",
    ["ACC-1001"],
    "DATA_ROAMING",
    "USAGE",
    "2026-11-03T14:21:09+01:00",
    734003200,
    "BYTE",
    "EUR",
    [10000000, 2100000, 12100000],  # original
    ["VAT21", 2100],
    "4000-ROAM",
    "RATED",
    ["2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00"],
    "INV-9",
    [-826446, -173554, -1000000],  # adjusted
    [9173554, 1926446, 11100000],  # current
    "PARTIALLY_CREDITED",
    1,
    2,
]
ANSWER_VALUES = [
    b"digest",
    msgspec.msgpack.encode(EVENT_VALUES),
    "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10",
    "crm:jane",
    "REST",
    "CREDIT",
    "AMOUNT",
    "PROPORTIONAL",
    "INCORRECT_METERING",
    "metered twice in roaming",
    [-826446, -173554, -1000000],  # effect
    [10000000, 2100000, 12100000],  # before
    "SAME_PERIOD",
    None,
    "3b1f0a52-0f0c-4b1b-8d3a-1d2c3b4a5f61",
    "2026-11-05T09:30:00.123Z",
    None,
]


def as_stored() -> tuple[bytes, rows.AppliedAnswer, Adjustment, ChargeableEvent]:
    """Give the row of an event, and what is remembered, of an adjustment made anew."""
    batch = noted(batch="3b1f0a52-0f0c-4b1b-8d3a-1d2c3b4a5f61")
    made = decide(State(account(), event(invoiceRefId="INV-9"), None), request(), batch)
    assert made.adjustment is not None
    assert made.chargeable_event is not None
    row = rows.row_of_event(made.chargeable_event)
    answer = rows.applied_answer(b"digest", row, made.adjustment)
    return row, answer, made.adjustment, made.chargeable_event


def test_what_is_stored_is_these_values_in_these_places() -> None:
    row, answer, *_ = as_stored()
    assert msgspec.msgpack.decode(row) == EVENT_VALUES
    assert msgspec.msgpack.decode(rows.row_of_answer(answer)) == ANSWER_VALUES


def test_what_others_stored_so_is_read() -> None:
    _, _, applied, left = as_stored()
    assert rows.event_of_row(msgspec.msgpack.encode(EVENT_VALUES)) == left
    read = rows.answer_of_row(msgspec.msgpack.encode(ANSWER_VALUES))
    assert read.value == encode(applied_result(left, applied))


def test_a_row_of_a_newer_version_is_refused() -> None:
    newer = msgspec.msgpack.encode([*EVENT_VALUES, "more"])
    with pytest.raises(msgspec.ValidationError):
        rows.event_of_row(newer)
    with pytest.raises(msgspec.ValidationError):
        rows.answer_of_row(msgspec.msgpack.encode([*ANSWER_VALUES, "more"]))


def test_a_row_takes_less_than_a_third_of_its_json() -> None:
    applied, left = adjusted()
    row = rows.row_of_event(left)
    answer = rows.applied_answer(bytes(32), row, applied)
    assert len(row) * 3 < len(encode(left))
    assert len(rows.row_of_answer(answer)) * 3 < len(answer.value)

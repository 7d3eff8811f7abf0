"""What is read of a row is what was written, and its JSON the bytes that were published."""

from enum import Enum
from types import NoneType
from typing import Any, get_args, get_type_hints

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.adjustment import Adjustment
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent, Tax
from schemas.forms import INTEGER_MAX, INTEGER_MIN, RATE_MAX
from streams import rows
from streams.domain.decide import adjustment_ref_id, applied_result
from tests.builders import adjusted

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


def test_a_row_takes_less_than_a_third_of_its_json() -> None:
    applied, left = adjusted()
    row = rows.row_of_event(left)
    answer = rows.applied_answer(bytes(32), row, applied)
    assert len(row) * 3 < len(encode(left))
    assert len(rows.row_of_answer(answer)) * 3 < len(answer.value)

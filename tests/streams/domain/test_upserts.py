"""Tests of what is taken over from the CRM and from rating."""

import pytest
from msgspec.structs import replace

from schemas.account import AccountState
from schemas.chargeable_event import AdjustmentState, ChargeableEvent
from schemas.dead_letters import DeadLetterCode
from streams.domain.decide import decide
from streams.domain.state import State
from streams.domain.upserts import (
    Conflict,
    adjustment_state,
    upsert_account,
    upsert_chargeable_event,
)
from tests.builders import (
    account,
    account_upsert,
    amounts,
    amounts_body,
    event,
    noted,
    rated_event,
    request,
)


def test_a_new_account_has_version_one() -> None:
    row = upsert_account(None, account_upsert())
    assert row == account()
    assert account().version == 1
    assert account().external_id == "CRM-77"


def test_an_account_sent_twice_changes_nothing() -> None:
    assert upsert_account(account(), account_upsert()) is None


def test_a_changed_account_has_the_next_version() -> None:
    row = upsert_account(replace(account(), version=4), account_upsert(state="SUSPENDED"))
    assert row == replace(account(), state=AccountState.SUSPENDED, version=5)


def test_the_currency_of_an_account_never_changes() -> None:
    conflict = upsert_account(account(), account_upsert(currency="USD"))
    assert isinstance(conflict, Conflict)
    assert conflict.code is DeadLetterCode.IMMUTABLE_ATTRIBUTE
    assert conflict.text == "The currency of account ACC-1001 is EUR and cannot become USD."


def test_a_new_event_is_as_it_was_rated() -> None:
    row = event(status="BILLED", invoiceRefId="INV-1")
    assert row.version == 1
    assert row.invoice_ref_id == "INV-1"
    assert row.current == row.original == amounts(10000000, 2100000)
    assert row.adjusted == amounts(0, 0)
    assert row.adjustment_state is AdjustmentState.NONE
    assert row.event_date == "2026-11-03T14:21:09+01:00"


def test_an_event_sent_twice_changes_nothing() -> None:
    assert upsert_chargeable_event(event(), rated_event()) is None
    assert upsert_chargeable_event(_credited(), rated_event()) is None


def test_an_upsert_leaves_what_adjustments_made() -> None:
    row = upsert_chargeable_event(
        _credited(), rated_event(original=amounts_body(2000000, 420000), status="BILLED")
    )
    assert isinstance(row, ChargeableEvent)
    assert row.adjusted == amounts(-826446, -173554)
    assert row.current == amounts(2000000 - 826446, 420000 - 173554)
    assert row.adjustment_count == 1
    assert row.version == 3


def test_an_upsert_can_leave_nothing_to_be_credited() -> None:
    row = upsert_chargeable_event(_credited(), rated_event(original=amounts_body(826446, 173554)))
    assert isinstance(row, ChargeableEvent)
    assert row.adjustment_state is AdjustmentState.FULLY_CREDITED


@pytest.mark.parametrize("original", [amounts_body(826445, 173555), amounts_body(826447, 173553)])
def test_an_upsert_never_pushes_an_amount_below_zero(original: object) -> None:
    conflict = upsert_chargeable_event(_credited(), rated_event(original=original))
    assert isinstance(conflict, Conflict)
    assert conflict.code is DeadLetterCode.CONFLICTS_WITH_ADJUSTMENTS
    assert conflict.text == (
        "The original amounts of chargeable event CE-500001 are less than what was credited"
        " already."
    )


def test_the_currency_of_an_event_never_changes() -> None:
    conflict = upsert_chargeable_event(event(), rated_event(currency="USD"))
    assert isinstance(conflict, Conflict)
    assert conflict.code is DeadLetterCode.IMMUTABLE_ATTRIBUTE
    assert conflict.text == (
        "The currency of chargeable event CE-500001 is EUR and cannot become USD."
    )


@pytest.mark.parametrize(
    ("adjusted", "current", "state"),
    [
        ((0, 0), (0, 0), "NONE"),
        ((0, 0), (5, 1), "NONE"),
        ((-5, -1), (0, 0), "FULLY_CREDITED"),
        ((-5, -1), (5, 1), "PARTIALLY_CREDITED"),
        ((5, 1), (10, 2), "INCREASED"),
        ((1, 0), (6, 1), "INCREASED"),
        ((-1, 0), (6, 1), "PARTIALLY_CREDITED"),
        ((-1, 1), (5, 1), "NONE"),
    ],
)
def test_the_adjustment_state_follows_from_the_amounts(
    adjusted: tuple[int, int], current: tuple[int, int], state: str
) -> None:
    assert adjustment_state(amounts(*adjusted), amounts(*current)) == state


def _credited() -> ChargeableEvent:
    row = decide(State(account(), event(), None), request(), noted()).chargeable_event
    assert row is not None
    return row

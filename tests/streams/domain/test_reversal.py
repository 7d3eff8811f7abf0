"""Tests that an adjustment is undone exactly, and once."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.adjustment import Adjustment
from schemas.adjustment_result import AdjustmentResult
from schemas.chargeable_event import AdjustmentState, ChargeableEvent, ChargeableEventStatus
from schemas.reading import read_request
from schemas.refusals import Refusal
from streams.domain.decide import (
    Decision,
    adjustment_ref_id,
    decide,
    request_of_adjustment,
)
from streams.domain.state import State
from tests.builders import (
    REQUEST_ID,
    REVERSAL_ID,
    account,
    adjusted,
    amounts,
    as_bytes,
    event,
    noted,
    reversal_body,
)

DEBIT = {"chargeType": "DEBIT", "taxTreatment": "NO_TAX", "taxIncluded": False}


@pytest.mark.parametrize(
    ("changes", "opposite"),
    [
        ({}, "DEBIT"),
        (DEBIT, "CREDIT"),
        ({"taxTreatment": "TAX_ONLY", "taxIncluded": None}, "DEBIT"),
    ],
)
def test_a_reversal_is_the_exact_opposite(changes: dict[str, Any], opposite: str) -> None:
    first, row = adjusted(**changes)
    decision = reverse(first, row)
    adjustment, after = decision.adjustment, decision.chargeable_event
    assert adjustment is not None
    assert after is not None
    assert adjustment.effect == amounts(-first.effect.tax_excluded_amount, -first.effect.tax_amount)
    assert adjustment.charge_type == opposite
    assert adjustment.adjustment_mode == "REVERSAL"
    assert adjustment.tax_treatment == first.tax_treatment
    assert adjustment.reversal_of == first.ref_id
    assert adjustment.ref_id == adjustment_ref_id("ACC-1001", REVERSAL_ID)
    assert after.current == event().current
    assert after.adjusted == amounts(0, 0)
    assert after.adjustment_state is AdjustmentState.NONE
    assert (after.adjustment_count, after.version) == (2, 3)


def test_the_refid_of_an_adjustment_names_its_account_and_request() -> None:
    first, _ = adjusted()
    assert first.ref_id == f"ADJ-ACC-1001-{REQUEST_ID}"
    assert request_of_adjustment("ACC-1001", first.ref_id) == REQUEST_ID
    assert request_of_adjustment("ACC-2", first.ref_id) is None
    assert first.reversal_of is None


def test_a_credit_is_undone_with_its_own_tax_though_the_account_is_exempt_by_now() -> None:
    first, row = adjusted()
    state = State(account(taxExempt=True), row, None, first)
    decision = decide(state, read(first.ref_id), noted())
    assert decision.adjustment is not None
    assert decision.adjustment.effect == amounts(826446, 173554)


def test_a_reason_for_credits_alone_may_be_given_for_a_reversal() -> None:
    first, row = adjusted()
    assert code_of(reverse(first, row, reason="GOODWILL")) is None
    assert code_of(reverse(first, row, reason="OTHER")) is Refusal.COMMENT_REQUIRED
    assert code_of(reverse(first, row, reason="WHIM")) is Refusal.REASON_NOT_CONFIGURED


def test_a_reversal_is_recorded_with_its_own_reason_and_bill() -> None:
    first, row = adjusted()
    billed = replace(row, status=ChargeableEventStatus.BILLED)
    undone = reverse(first, billed, reason="DISPUTE", comment="settled").adjustment
    assert undone is not None
    assert (undone.reason, undone.comment) == ("DISPUTE", "settled")
    assert undone.billing_treatment == "NEXT_BILL"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"currency": "USD"}, "CURRENCY_MISMATCH"), ({"expectedVersion": 1}, "VERSION_CONFLICT")],
)
def test_what_holds_for_every_request_holds_for_a_reversal(
    changes: dict[str, Any], code: str
) -> None:
    first, row = adjusted()
    assert code_of(reverse(first, row, **changes)) == code
    assert code_of(reverse(first, row, expectedVersion=2)) is None


def test_an_adjustment_that_is_not_there_is_not_found() -> None:
    _, row = adjusted()
    decision = decide(State(account(), row, None), read("ADJ-1"), noted())
    assert_refused(
        decision,
        Refusal.ADJUSTMENT_NOT_FOUND,
        "Chargeable event CE-500001 has no adjustment ADJ-1.",
    )


def test_an_adjustment_of_another_event_is_not_found() -> None:
    first, row = adjusted()
    elsewhere = replace(first, chargeable_event_ref_id="CE-500002")
    assert code_of(reverse(elsewhere, row)) is Refusal.ADJUSTMENT_NOT_FOUND


def test_an_adjustment_is_reversed_once() -> None:
    first, row = adjusted()
    state = State(account(), row, None, first, "ADJ-ACC-1001-before")
    assert_refused(
        decide(state, read(first.ref_id), noted()),
        Refusal.ALREADY_REVERSED,
        f"Adjustment {first.ref_id} was reversed already, by ADJ-ACC-1001-before.",
    )


def test_a_reversal_is_not_reversed() -> None:
    first, row = adjusted()
    assert_refused(
        reverse(replace(first, reversal_of="ADJ-ACC-1001-before"), row),
        Refusal.NOT_REVERSIBLE,
        f"Adjustment {first.ref_id} is a reversal itself. Make a new adjustment instead.",
    )


@pytest.mark.parametrize("left", [(999999, 2100000), (10000000, 0), (0, 0)])
def test_a_debit_that_was_credited_since_is_not_undone(left: tuple[int, int]) -> None:
    first, row = adjusted(chargeType="DEBIT", taxIncluded=False)
    row = replace(row, current=amounts(*left))
    assert_refused(
        reverse(first, row),
        Refusal.CREDIT_EXCEEDS_REMAINING,
        f"Adjustment {first.ref_id} cannot be undone: it added more than what remains on"
        f" chargeable event CE-500001, {money(left[0])} without tax and {money(left[1])} of tax.",
    )


def test_undoing_a_credit_may_not_leave_the_range() -> None:
    first, row = adjusted()
    row = replace(row, current=amounts(10**15, 0))
    assert code_of(reverse(first, row)) is Refusal.SUM_OUT_OF_RANGE


def reverse(first: Adjustment, row: ChargeableEvent, **changes: Any) -> Decision:
    return decide(State(account(), row, None, first), read(first.ref_id, **changes), noted())


def read(reversal_of: str, **changes: Any) -> Any:
    return read_request(as_bytes(reversal_body(reversal_of, **changes)))


def code_of(decision: Decision) -> Refusal | None:
    assert isinstance(decision.result, AdjustmentResult)
    return decision.result.errors[0].code if decision.result.errors else None


def assert_refused(decision: Decision, code: Refusal, message: str) -> None:
    assert isinstance(decision.result, AdjustmentResult)
    assert [(fault.code, fault.field) for fault in decision.result.errors] == [(code, "reversalOf")]
    assert decision.result.errors[0].message == message
    assert decision.is_remembered


def money(micro: int) -> str:
    return {0: "0.00", 999999: "0.999999", 2100000: "2.10", 10000000: "10.00"}[micro] + " EUR"

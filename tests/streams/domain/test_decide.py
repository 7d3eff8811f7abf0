"""Tests of each rule that decides about a request."""

import dataclasses
import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from schemas.account import Account
from schemas.adjustment_result import AdjustmentResult
from schemas.chargeable_event import ChargeableEvent
from schemas.messages import examples_of
from schemas.reading import MalformedRequest, read_request
from schemas.refusals import Refusal
from streams.domain.decide import Decision, content_of, decide, refuse_malformed
from streams.domain.state import Answer, State
from tests.builders import (
    ABSENT,
    REQUEST_ID,
    account,
    amounts,
    amounts_body,
    as_bytes,
    event,
    noted,
    request,
    request_body,
)

OTHER_ID = "0a4bfb0e-0f2a-4a63-a6be-9a8f5a9b9f11"


def test_an_applied_credit_is_told_as_in_the_example() -> None:
    decision = _decide()
    assert _written(decision) == examples_of("adjustment-result")["applied credit"]
    assert decision.result is not None
    assert decision.adjustment == decision.result.adjustment
    assert decision.chargeable_event == decision.result.chargeable_event
    assert decision.is_remembered


def test_a_credit_of_too_much_is_told_as_in_the_example() -> None:
    decision = _decide(row=_credited(), requestId=OTHER_ID, chargeAdjustment=12100001)
    expected = examples_of("adjustment-result")["credit above what remains"]
    assert _written(decision) == expected
    assert decision.chargeable_event is None
    assert decision.adjustment is None
    assert decision.is_remembered


def test_a_malformed_request_is_told_as_in_the_example() -> None:
    request_id = "41f0c6a8-57c5-4df8-8c8e-0b6f6a0c7d15"
    malformed = read_request(
        as_bytes(
            request_body(requestId=request_id, chargeableEventRefId=ABSENT, chargeAdjustment=0)
        )
    )
    assert isinstance(malformed, MalformedRequest)
    named = dataclasses.replace(malformed, chargeable_event_ref_id="CE-1")
    assert refuse_malformed(named, noted()).chargeable_event_ref_id == "CE-1"
    result = refuse_malformed(malformed, noted(requested_at="2026-11-05T09:31:12.040Z"))
    written = json.loads(msgspec.json.encode(result))
    assert written == examples_of("adjustment-result")["malformed request"]


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({"taxIncluded": True}, (-826446, -173554)),
        ({"taxIncluded": False}, (-1000000, -210000)),
        ({"chargeType": "DEBIT", "taxIncluded": True}, (826446, 173554)),
        ({"chargeType": "DEBIT", "taxIncluded": False}, (1000000, 210000)),
    ],
)
def test_the_effect_is_signed_and_taxed(changes: dict[str, Any], effect: tuple[int, int]) -> None:
    adjustment = _decide(**changes).adjustment
    assert adjustment is not None
    assert adjustment.effect == amounts(*effect)
    assert adjustment.before == amounts(10000000, 2100000)
    assert adjustment.after == amounts(10000000 + effect[0], 2100000 + effect[1])


def test_a_debit_of_an_exempt_account_has_no_tax() -> None:
    adjustment = _decide(owner=account(taxExempt=True), chargeType="DEBIT").adjustment
    assert adjustment is not None
    assert adjustment.effect == amounts(1000000, 0)


def test_a_credit_of_an_exempt_account_gives_back_the_tax_that_was_charged() -> None:
    adjustment = _decide(owner=account(taxExempt=True)).adjustment
    assert adjustment is not None
    assert adjustment.effect == amounts(-826446, -173554)


@pytest.mark.parametrize(
    ("status", "treatment"), [("RATED", "SAME_PERIOD"), ("BILLED", "NEXT_BILL")]
)
def test_a_billed_event_is_adjusted_on_the_next_bill(status: str, treatment: str) -> None:
    adjustment = _decide(row=event(status=status)).adjustment
    assert adjustment is not None
    assert adjustment.billing_treatment == treatment


@pytest.mark.parametrize("state", ["ACTIVE", "SUSPENDED"])
def test_charges_of_active_and_suspended_accounts_are_adjusted(state: str) -> None:
    assert _code(_decide(owner=account(state=state))) is None


@pytest.mark.parametrize("state", ["INACTIVE", "DEACTIVATED"])
def test_charges_of_other_accounts_are_not(state: str) -> None:
    assert _code(_decide(owner=account(state=state))) is Refusal.ACCOUNT_STATE_INVALID


def test_nothing_is_adjusted_while_a_bill_is_made() -> None:
    assert _code(_decide(owner=account(billingInProgress=True))) is Refusal.BILLING_IN_PROGRESS


def test_an_account_that_is_not_known_has_its_event_shown_all_the_same() -> None:
    decision = decide(State(None, event(), None), request(), noted())
    assert _code(decision) is Refusal.ACCOUNT_NOT_FOUND
    assert decision.result is not None
    assert decision.result.chargeable_event == event()
    assert decision.result.remaining == event().current


def test_an_event_that_is_not_known_is_null_in_the_result() -> None:
    decision = decide(State(account(), None, None), request(), noted())
    assert _code(decision) is Refusal.CHARGEABLE_EVENT_NOT_FOUND
    assert decision.result is not None
    assert decision.result.chargeable_event is None
    assert decision.result.remaining is None
    assert decision.result.chargeable_event_ref_id == "CE-500001"


def test_the_currency_must_be_the_events() -> None:
    assert _code(_decide(currency="USD")) is Refusal.CURRENCY_MISMATCH


def test_an_expected_version_must_be_the_events() -> None:
    assert _code(_decide(expectedVersion=1)) is None
    for version in (0, 2, -1, 2**63 - 1):
        decision = _decide(expectedVersion=version)
        assert _code(decision) is Refusal.VERSION_CONFLICT
        assert decision.result is not None
        assert decision.result.errors[0].field == "expectedVersion"
        assert f"is at version 1, not {version}." in decision.result.errors[0].message


@pytest.mark.parametrize("target", [12100000, 12100001, 12099999])
def test_a_target_is_a_credit_or_a_debit_by_what_is_now(target: int) -> None:
    asked: dict[str, Any] = {
        "adjustmentMode": "SET_TO",
        "chargeAdjustment": None,
        "chargeType": None,
    }
    code = _code(_decide(**asked, targetAmount=target, reason="GOODWILL"))
    expected = {12100000: "NOTHING_TO_ADJUST", 12100001: "REASON_NOT_APPLICABLE", 12099999: None}
    assert code == expected[target]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": "WHIM"}, "REASON_NOT_CONFIGURED"),
        ({"reason": ""}, "REASON_NOT_CONFIGURED"),
        ({"reason": "GOODWILL", "chargeType": "DEBIT"}, "REASON_NOT_APPLICABLE"),
        ({"reason": "OTHER", "comment": None}, "COMMENT_REQUIRED"),
        ({"reason": "OTHER", "comment": " "}, "COMMENT_REQUIRED"),
        ({"reason": "OTHER"}, None),
        ({"reason": "GOODWILL"}, None),
        ({"reason": "DISPUTE", "comment": None}, None),
    ],
)
def test_a_reason_must_be_known_and_fit(changes: dict[str, Any], code: str | None) -> None:
    assert _code(_decide(**changes)) == code


def test_without_a_reason_the_default_is_recorded() -> None:
    adjustment = _decide(reason=None).adjustment
    assert adjustment is not None
    assert adjustment.reason == "BILLING_ERROR"


def test_a_credit_may_take_all_that_remains_and_no_more() -> None:
    assert _code(_decide(chargeAdjustment=12100000)) is None
    assert _code(_decide(chargeAdjustment=12100001)) is Refusal.CREDIT_EXCEEDS_REMAINING
    assert _code(_decide(chargeAdjustment=10000000, taxIncluded=False)) is None
    decision = _decide(chargeAdjustment=10000001, taxIncluded=False)
    assert _code(decision) is Refusal.CREDIT_EXCEEDS_REMAINING
    assert decision.result is not None
    assert decision.result.errors[0].message == (
        "The credit of 10.000001 EUR without tax is more than the 10.00 EUR without tax that"
        " remain on chargeable event CE-500001."
    )


def test_a_debit_may_go_to_the_end_of_the_range_and_no_further() -> None:
    row = event(original=amounts_body(0, 0))
    assert _code(_decide(row=row, chargeType="DEBIT", chargeAdjustment=10**15)) is None
    too_much: dict[str, Any] = {
        "chargeType": "DEBIT",
        "chargeAdjustment": 10**15,
        "taxIncluded": False,
    }
    assert _code(_decide(row=row, **too_much)) is Refusal.SUM_OUT_OF_RANGE


def test_the_sum_of_adjustments_stays_in_range_too() -> None:
    row = replace(event(), adjusted=amounts(10**15, 0))
    assert _code(_decide(row=row, chargeType="DEBIT")) is Refusal.SUM_OUT_OF_RANGE


def test_a_repeat_is_answered_by_the_first_result() -> None:
    answer = Answer(content_of(request()))
    decision = decide(State(None, None, answer), request(), noted())
    assert decision == Decision(result=None, is_replay=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"account": None},
        {"requestId": REQUEST_ID.upper()},
        {"adjustmentMode": "AMOUNT", "taxTreatment": "PROPORTIONAL"},
        {"percent": None},
    ],
)
def test_the_same_request_may_be_written_in_other_ways(changes: dict[str, object]) -> None:
    assert content_of(request(**changes)) == content_of(request())


def test_an_answer_of_an_earlier_version_is_recognised() -> None:
    """Digests are kept for ever: an attribute that is added may not change those without it."""
    plain, least = content_of(request()), content_of(request(reason=None, comment=None))
    assert plain.hex() == "34ef3debd82a265a79e30f0efd8e76ee7918ce4f6e977b066d73f7fda631eb23"
    assert least.hex() == "640ba4a0b50c9cdf8d59674dfeefc8343fa1eb6910223f9bc8c3e7a29466a8dc"


def test_no_tax_included_says_nothing_beside_a_treatment_that_says_it() -> None:
    for treatment in ("NO_TAX", "TAX_ONLY"):
        said = request(taxTreatment=treatment, taxIncluded=False)
        assert content_of(said) == content_of(request(taxTreatment=treatment, taxIncluded=None))


def test_the_default_reason_is_the_same_as_none() -> None:
    assert content_of(request(reason=None)) == content_of(request(reason="BILLING_ERROR"))


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "crm:john"},
        {"chargeableEventRefId": "CE-500002"},
        {"chargeType": "DEBIT"},
        {"chargeAdjustment": 1000001},
        {"currency": "USD"},
        {"taxIncluded": False},
        {"reason": "DISPUTE"},
        {"comment": None},
        {"comment": ""},
        {"expectedVersion": 1},
        {"taxTreatment": "TAX_ONLY", "taxIncluded": None},
        {"adjustmentMode": "PERCENT", "percent": 1, "chargeAdjustment": None},
        {"adjustmentMode": "FULL", "taxIncluded": None, "chargeAdjustment": None},
        {
            "adjustmentMode": "SET_TO",
            "targetAmount": 1,
            "chargeAdjustment": None,
            "chargeType": None,
        },
        {"reversalOf": "ADJ-1", "chargeType": None, "chargeAdjustment": None, "taxIncluded": None},
    ],
)
def test_other_content_under_the_same_id_is_refused_and_not_remembered(
    changes: dict[str, object],
) -> None:
    state = State(account(), event(), Answer(content_of(request())))
    decision = decide(state, request(**changes), noted())
    assert _code(decision) is Refusal.REQUEST_ID_REUSED
    assert not decision.is_remembered
    assert not decision.is_replay


@pytest.mark.parametrize(
    ("mode", "attribute"),
    [
        ({"adjustmentMode": "PERCENT", "chargeAdjustment": None}, "percent"),
        (
            {"adjustmentMode": "SET_TO", "chargeAdjustment": None, "chargeType": None},
            "targetAmount",
        ),
        (
            dict.fromkeys(("chargeType", "chargeAdjustment", "taxIncluded")),
            "reversalOf",
        ),
    ],
)
def test_the_amount_of_each_mode_is_content(mode: dict[str, Any], attribute: str) -> None:
    one, other = (5, 6) if attribute != "reversalOf" else ("ADJ-5", "ADJ-6")
    assert content_of(request(**mode, **{attribute: one})) != content_of(
        request(**mode, **{attribute: other})
    )


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        ({"chargeAdjustment": 12100000}, "FULLY_CREDITED"),
        ({"chargeAdjustment": 12099999}, "PARTIALLY_CREDITED"),
        ({"chargeType": "DEBIT"}, "INCREASED"),
    ],
)
def test_the_event_says_what_adjustments_made_of_it(asked: dict[str, Any], state: str) -> None:
    row = _decide(**asked).chargeable_event
    assert row is not None
    assert row.adjustment_state == state


def test_what_was_noted_is_recorded_and_decides_nothing() -> None:
    facts = noted(channel="TOPIC", batch="B-1", requested_at=None)
    decision = decide(State(account(), event(), None), request(), facts)
    adjustment = decision.adjustment
    assert adjustment is not None
    assert (adjustment.channel, adjustment.batch, adjustment.requested_at) == ("TOPIC", "B-1", None)
    assert decision.chargeable_event == _decide().chargeable_event


def _decide(
    owner: Account | None = None,
    row: ChargeableEvent | None = None,
    **changes: Any,
) -> Decision:
    return decide(State(owner or account(), row or event(), None), request(**changes), noted())


def _code(decision: Decision) -> Refusal | None:
    assert decision.result is not None
    return decision.result.errors[0].code if decision.result.errors else None


def _credited() -> ChargeableEvent:
    row = _decide().chargeable_event
    assert row is not None
    return row


def _written(decision: Decision) -> object:
    assert isinstance(decision.result, AdjustmentResult)
    return json.loads(msgspec.json.encode(decision.result))

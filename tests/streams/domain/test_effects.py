"""Tests of what each mode and tax treatment adds to a charge."""

from typing import Any

import pytest

from schemas.adjustment import Adjustment
from schemas.adjustment_result import AdjustmentResult
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent
from schemas.refusals import Refusal
from streams.domain.decide import decide
from streams.domain.state import State
from tests.builders import ABSENT, account, adjusted, amounts, amounts_body, event, noted, request

# 10.00 EUR and 2.10 EUR of tax, 21 %; and the same after a credit of 1.00 EUR with tax.
RATED = (10000000, 2100000)
ONE_LESS = (-826446, -173554)

# Attributes beside those of a credit of 1 EUR, and the effect on the charge as rated.
EFFECTS: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "CREDIT of an amount with tax": ({}, (-826446, -173554)),
    "CREDIT of an amount without tax": ({"taxIncluded": False}, (-1000000, -210000)),
    "DEBIT of an amount with tax": ({"chargeType": "DEBIT"}, (826446, 173554)),
    "DEBIT of an amount without tax": (
        {"chargeType": "DEBIT", "taxIncluded": False},
        (1000000, 210000),
    ),
    "CREDIT of an amount, NO_TAX": ({"taxTreatment": "NO_TAX"}, (-1000000, 0)),
    "CREDIT of an amount, TAX_ONLY": ({"taxTreatment": "TAX_ONLY"}, (0, -1000000)),
    "DEBIT of an amount, NO_TAX": ({"taxTreatment": "NO_TAX", "chargeType": "DEBIT"}, (1000000, 0)),
    "DEBIT of an amount, TAX_ONLY": (
        {"taxTreatment": "TAX_ONLY", "chargeType": "DEBIT"},
        (0, 1000000),
    ),
    "CREDIT of a half with tax": ({"percent": 5000}, (-5000000, -1050000)),
    "CREDIT of a half without tax": ({"percent": 5000, "taxIncluded": False}, (-5000000, -1050000)),
    "CREDIT of a half, NO_TAX": ({"percent": 5000, "taxTreatment": "NO_TAX"}, (-5000000, 0)),
    "CREDIT of a half, TAX_ONLY": ({"percent": 5000, "taxTreatment": "TAX_ONLY"}, (0, -1050000)),
    "CREDIT of all by percent": ({"percent": 10000}, (-10000000, -2100000)),
    "DEBIT of a half with tax": ({"percent": 5000, "chargeType": "DEBIT"}, (5000000, 1050000)),
    "DEBIT of the hundredfold": (
        {"percent": 1000000, "chargeType": "DEBIT", "taxIncluded": False},
        (1000000000, 210000000),
    ),
    "DEBIT of a percent of the tax": (
        {"percent": 100, "chargeType": "DEBIT", "taxTreatment": "TAX_ONLY"},
        (0, 21000),
    ),
    "SET_TO nothing with tax": ({"targetAmount": 0}, (-10000000, -2100000)),
    "SET_TO less with tax": ({"targetAmount": 11100000}, (-826446, -173554)),
    "SET_TO more with tax": ({"targetAmount": 13100000}, (826446, 173554)),
    "SET_TO less without tax": (
        {"targetAmount": 9000000, "taxIncluded": False},
        (-1000000, -210000),
    ),
    "SET_TO more without tax": (
        {"targetAmount": 11000000, "taxIncluded": False},
        (1000000, 210000),
    ),
    "SET_TO less, NO_TAX": ({"targetAmount": 1, "taxTreatment": "NO_TAX"}, (-9999999, 0)),
    "SET_TO more, TAX_ONLY": ({"targetAmount": 2100001, "taxTreatment": "TAX_ONLY"}, (0, 1)),
    "SET_TO no tax": ({"targetAmount": 0, "taxTreatment": "TAX_ONLY"}, (0, -2100000)),
    "FULL": ({"adjustmentMode": "FULL"}, (-10000000, -2100000)),
    "FULL, NO_TAX": ({"adjustmentMode": "FULL", "taxTreatment": "NO_TAX"}, (-10000000, 0)),
    "FULL, TAX_ONLY": ({"adjustmentMode": "FULL", "taxTreatment": "TAX_ONLY"}, (0, -2100000)),
}


@pytest.mark.parametrize("shows", EFFECTS)
def test_the_effect_is_what_was_asked_of_the_part_that_moves(shows: str) -> None:
    changes, expected = EFFECTS[shows]
    adjustment = applied(**asked(**changes))
    effect = amounts(*expected)
    assert adjustment.effect == effect
    assert adjustment.before == amounts(*RATED)
    assert adjustment.after == amounts(RATED[0] + expected[0], RATED[1] + expected[1])
    assert adjustment.charge_type == ("CREDIT" if effect.tax_included_amount < 0 else "DEBIT")
    assert adjustment.adjustment_mode == asked(**changes).get("adjustmentMode", "AMOUNT")
    assert adjustment.tax_treatment == changes.get("taxTreatment", "PROPORTIONAL")


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({"percent": 1000}, (-1000000, -210000)),  # of what was charged, not of what remains
        ({"adjustmentMode": "FULL"}, (-9173554, -1926446)),
        ({"targetAmount": 0}, (-9173554, -1926446)),
        ({"targetAmount": 12100000}, (826446, 173554)),
    ],
)
def test_a_percent_means_the_original_charge_and_the_rest_what_remains(
    changes: dict[str, Any], effect: tuple[int, int]
) -> None:
    _, row = adjusted()
    assert applied(row, **asked(**changes)).effect == amounts(*effect)


def test_half_of_an_odd_amount_is_rounded_up() -> None:
    row = event(original=amounts_body(3, 0), tax={"code": "VAT0", "rate": 0})
    assert applied(row, **asked(percent=5000)).effect == amounts(-2, 0)
    assert applied(row, **asked(percent=4999)).effect == amounts(-1, 0)


def test_a_full_credit_takes_what_is_left_of_a_small_charge() -> None:
    first, row = credited(event(original=amounts_body(3, 1)), chargeAdjustment=1)
    last = applied(row, **asked(adjustmentMode="FULL"))
    assert first.tax_included_amount == -1
    assert last.after == amounts(0, 0)
    assert last.effect == amounts(-3 - first.tax_excluded_amount, -1 - first.tax_amount)


@pytest.mark.parametrize("changes", [{"percent": 5000}, {"targetAmount": 15000000}, {}])
def test_a_debit_of_an_exempt_account_has_no_tax(changes: dict[str, Any]) -> None:
    exempt, body = account(taxExempt=True), asked(**changes)
    if "targetAmount" not in changes:
        body["chargeType"] = "DEBIT"
    decision = decide(State(exempt, event(), None), request(**body), noted())
    assert decision.adjustment is not None
    assert decision.adjustment.effect.tax_amount == 0


@pytest.mark.parametrize(
    ("original", "changes", "message"),
    [
        (
            (0, 0),
            {"percent": 5000},
            "50.00 % of the original 0.00 EUR is nothing.",
        ),
        (
            (0, 1),
            {"percent": 1, "taxTreatment": "TAX_ONLY"},
            "0.01 % of the original 0.000001 EUR of tax is nothing.",
        ),
        (
            RATED,
            {"targetAmount": 12100000},
            "Chargeable event CE-500001 is at 12.10 EUR already.",
        ),
        (
            RATED,
            {"targetAmount": 10000000, "taxTreatment": "NO_TAX"},
            "Chargeable event CE-500001 is at 10.00 EUR without tax already.",
        ),
        (
            (0, 0),
            {"adjustmentMode": "FULL"},
            "Nothing is left to credit: 0.00 EUR remain on chargeable event CE-500001.",
        ),
        (
            (5, 0),
            {"adjustmentMode": "FULL", "taxTreatment": "TAX_ONLY"},
            "Nothing is left to credit: 0.00 EUR of tax remain on chargeable event CE-500001.",
        ),
    ],
)
def test_an_adjustment_without_effect_is_refused(
    original: tuple[int, int], changes: dict[str, Any], message: str
) -> None:
    result = refused(event(original=amounts_body(*original)), **asked(**changes))
    assert result.errors[0].code is Refusal.NOTHING_TO_ADJUST
    assert result.errors[0].message == message


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        (
            {"chargeAdjustment": 12100001},
            "chargeAdjustment",
            (
                "The credit of 12.100001 EUR is more than the 12.10 EUR that remain"
                " on chargeable event CE-500001."
            ),
        ),
        (
            {"chargeAdjustment": 10000001, "taxIncluded": False},
            "chargeAdjustment",
            (
                "The credit of 10.000001 EUR without tax is more than the 10.00 EUR without tax"
                " that remain on chargeable event CE-500001."
            ),
        ),
        (
            {"chargeAdjustment": 10000001, "taxTreatment": "NO_TAX"},
            "chargeAdjustment",
            (
                "The credit of 10.000001 EUR without tax is more than the 10.00 EUR without tax"
                " that remain on chargeable event CE-500001."
            ),
        ),
        (
            {"chargeAdjustment": 2100001, "taxTreatment": "TAX_ONLY"},
            "chargeAdjustment",
            (
                "The credit of 2.100001 EUR of tax is more than the 2.10 EUR of tax that remain"
                " on chargeable event CE-500001."
            ),
        ),
    ],
)
def test_a_credit_of_more_than_remains_is_refused(
    changes: dict[str, Any], field: str, message: str
) -> None:
    result = refused(event(), **asked(**changes))
    assert result.errors[0].code is Refusal.CREDIT_EXCEEDS_REMAINING
    assert result.errors[0].field == field
    assert result.errors[0].message == message
    assert result.remaining == amounts(*RATED)


def test_a_percent_of_the_original_may_be_more_than_remains() -> None:
    _, row = adjusted()
    result = refused(row, **asked(percent=10000))
    assert result.errors[0].code is Refusal.CREDIT_EXCEEDS_REMAINING
    assert result.errors[0].field == "percent"
    assert result.errors[0].message == (
        "The credit of 100.00 % of the original charge, 12.10 EUR, is more than the 11.10 EUR that"
        " remain on chargeable event CE-500001."
    )


@pytest.mark.parametrize("kind", [True, False])
def test_a_proportional_credit_of_a_charge_without_amounts_is_too_much(kind: bool) -> None:  # noqa: FBT001
    result = refused(event(original=amounts_body(0, 0)), **asked(taxIncluded=kind))
    assert result.errors[0].code is Refusal.CREDIT_EXCEEDS_REMAINING


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"chargeType": "DEBIT", "chargeAdjustment": 10**15, "taxIncluded": False}, None),
        ({"chargeType": "DEBIT", "percent": 1000000}, "percent"),
        ({"targetAmount": 10**15, "taxIncluded": False}, "targetAmount"),
    ],
)
def test_a_sum_beyond_the_range_is_refused(changes: dict[str, Any], field: str | None) -> None:
    row = event(original=amounts_body(9 * 10**14, 10**13))
    result = refused(row, **asked(**changes))
    assert result.errors[0].code is Refusal.SUM_OUT_OF_RANGE
    assert result.errors[0].field == (field or "chargeAdjustment")
    assert result.errors[0].message == (
        "The amounts of chargeable event CE-500001, or the sum of its adjustments, would go beyond"
        " a thousand million EUR."
    )


def asked(**changes: Any) -> dict[str, Any]:
    """Give the attributes of a credit of 1 EUR in another mode, which `changes` says."""
    body: dict[str, Any] = {}
    if "percent" in changes:
        body = {"adjustmentMode": "PERCENT", "chargeAdjustment": ABSENT}
    elif "targetAmount" in changes:
        body = {"adjustmentMode": "SET_TO", "chargeAdjustment": ABSENT, "chargeType": ABSENT}
    elif changes.get("adjustmentMode") == "FULL":
        body = {"chargeAdjustment": ABSENT, "taxIncluded": ABSENT}
    if "taxTreatment" in changes:
        body["taxIncluded"] = ABSENT
    return body | changes


def applied(row: ChargeableEvent | None = None, **body: Any) -> Adjustment:
    decision = decide(State(account(), row or event(), None), request(**body), noted())
    assert decision.adjustment is not None, decision.result
    return decision.adjustment


def credited(row: ChargeableEvent, **body: Any) -> tuple[Amounts, ChargeableEvent]:
    decision = decide(State(account(), row, None), request(**body), noted())
    assert decision.adjustment is not None
    assert decision.chargeable_event is not None
    return decision.adjustment.effect, decision.chargeable_event


def refused(row: ChargeableEvent, **body: Any) -> AdjustmentResult:
    decision = decide(State(account(), row, None), request(**body), noted())
    assert decision.result is not None
    assert decision.adjustment is None
    assert decision.result.errors, "it was applied"
    return decision.result

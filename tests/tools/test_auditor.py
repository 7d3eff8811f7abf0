"""The auditor agrees with what is right, worked out by hand, and notices every planted fault."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from tests.tools.histories import (
    ACCOUNT,
    CHARGED,
    Body,
    Step,
    Three,
    account,
    added,
    amounts,
    applied,
    event,
    faults,
    malformed,
    refused,
    request,
    request_id,
)

CREDIT: Body = {"chargeType": "CREDIT", "taxIncluded": True}
ONE_EURO = CREDIT | {"chargeAdjustment": 1_000_000}
START = [Step("account", account()), Step("chargeableEvent", event())]


@pytest.mark.parametrize(
    ("said", "effect", "recorded", "state"),
    [
        (ONE_EURO, (-826_446, -173_554, -1_000_000), {}, "PARTIALLY_CREDITED"),
        (
            ONE_EURO | {"taxIncluded": False},
            (-1_000_000, -210_000, -1_210_000),
            {},
            "PARTIALLY_CREDITED",
        ),
        (ONE_EURO | {"chargeType": "DEBIT"}, (826_446, 173_554, 1_000_000), {}, "INCREASED"),
        (
            CREDIT | {"adjustmentMode": "PERCENT", "percent": 5000},
            (-5_000_000, -1_050_000, -6_050_000),
            {},
            "PARTIALLY_CREDITED",
        ),
        (
            {"adjustmentMode": "SET_TO", "targetAmount": 0, "taxIncluded": True},
            (-10_000_000, -2_100_000, -12_100_000),
            {"chargeType": "CREDIT"},
            "FULLY_CREDITED",
        ),
        (
            {"adjustmentMode": "SET_TO", "targetAmount": 13_100_000, "taxIncluded": True},
            (826_446, 173_554, 1_000_000),
            {"chargeType": "DEBIT"},
            "INCREASED",
        ),
        (
            {"adjustmentMode": "FULL", "chargeType": "CREDIT", "taxTreatment": "TAX_ONLY"},
            (0, -2_100_000, -2_100_000),
            {},
            "PARTIALLY_CREDITED",
        ),
        (
            {"chargeType": "DEBIT", "chargeAdjustment": 7, "taxTreatment": "NO_TAX"},
            (7, 0, 7),
            {},
            "INCREASED",
        ),
    ],
)
def test_the_numbers_of_the_agreed_examples_are_right(
    said: Body, effect: Three, recorded: Body, state: str
) -> None:
    after = event(adjusted=effect, state=state, count=1, version=2)
    assert faults([*START, *applied(request(1, **said), effect, after, **recorded)]) == []


@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("by", [-1, 1])
def test_a_micro_unit_more_or_less_is_noticed(part: int, by: int) -> None:
    right = [-826_446, -173_554, -1_000_000]
    right[part] += by
    wrong = (right[0], right[1], right[2])
    after = event(adjusted=wrong, state="PARTIALLY_CREDITED", count=1, version=2)
    assert faults([*START, *applied(request(1, **ONE_EURO), wrong, after)])


def test_an_exempt_account_is_debited_without_tax() -> None:
    debit = request(1, **ONE_EURO | {"chargeType": "DEBIT"})
    effect = (1_000_000, 0, 1_000_000)
    after = event(adjusted=effect, state="INCREASED", count=1, version=2)
    exempt = [Step("account", account(taxExempt=True)), START[1]]
    assert faults([*exempt, *applied(debit, effect, after)]) == []
    assert faults([*START, *applied(debit, effect, after)])


def test_a_charge_of_four_is_closed_at_exactly_zero() -> None:
    tiny: Three = (3, 1, 4)
    first = event(tiny, (-1, 0, -1), "PARTIALLY_CREDITED", 1, 2)
    last = event(tiny, (-3, -1, -4), "FULLY_CREDITED", 2, 3)
    full = {"adjustmentMode": "FULL", "chargeType": "CREDIT"}
    history = [
        START[0],
        Step("chargeableEvent", event(tiny)),
        *applied(request(1, **CREDIT, chargeAdjustment=1), (-1, 0, -1), first),
        *applied(request(2, **full), (-2, -1, -3), last),
        *refused(request(3, **full), "NOTHING_TO_ADJUST", "adjustmentMode", last),
    ]
    assert faults(history) == []


def test_a_debit_that_was_credited_since_cannot_be_reversed() -> None:
    raised = event(adjusted=(7, 0, 7), state="INCREASED", count=1, version=2)
    emptied = event(adjusted=(-10_000_000, 0, -10_000_000), state="PARTIALLY_CREDITED", count=2)
    emptied |= {"version": 3}
    debit = request(1, chargeType="DEBIT", chargeAdjustment=7, taxTreatment="NO_TAX")
    full = request(2, chargeType="CREDIT", adjustmentMode="FULL", taxTreatment="NO_TAX")
    undo = request(3, reversalOf=f"ADJ-{ACCOUNT}-{request_id(1)}")
    history = [
        *START,
        *applied(debit, (7, 0, 7), raised),
        *applied(full, (-10_000_007, 0, -10_000_007), emptied),
        *refused(undo, "CREDIT_EXCEEDS_REMAINING", "reversalOf", emptied),
    ]
    assert faults(history) == []


UNDONE = f"ADJ-{ACCOUNT}-{request_id(1)}"
EFFECT: Three = (-826_446, -173_554, -1_000_000)
CREDITED = event(adjusted=EFFECT, state="PARTIALLY_CREDITED", count=1, version=2)
RESTORED = event(count=2, version=3)
BILLED = event(count=2, version=4, status="BILLED", invoiceRefId="INV-1")
UNTAXED = event(
    adjusted=(0, -2_100_000, -2_100_000),
    state="PARTIALLY_CREDITED",
    count=3,
    version=5,
    status="BILLED",
    invoiceRefId="INV-1",
)
TOO_MUCH = request(2, **CREDIT, chargeAdjustment=12_100_001)
UNDO = request(3, reversalOf=UNDONE, reason="GOODWILL")
REVERSAL = {"chargeType": "DEBIT", "adjustmentMode": "REVERSAL", "reversalOf": UNDONE}
NO_EVENT = request(8, **ONE_EURO, chargeableEventRefId="CE-UNKNOWN")
TWICE_WRONG = request(9, **ONE_EURO, expectedVersion=1, reason="WEATHER")


def good_history() -> list[Step]:
    """Give a history with some of everything; the places of its steps are named below."""
    first = applied(request(1, **ONE_EURO), EFFECT, CREDITED)
    again = Step("result", first[0].message, request(1, **ONE_EURO, reason="BILLING_ERROR"))
    again.is_replay = True
    untax = request(6, adjustmentMode="FULL", chargeType="CREDIT", taxTreatment="TAX_ONLY")
    bad = request(5, **ONE_EURO, user=7, unheard="of")
    told = [("INVALID_TYPE", "user"), ("UNKNOWN_ATTRIBUTE", "unheard")]
    history = [
        *START,
        *first,
        *refused(TOO_MUCH, "CREDIT_EXCEEDS_REMAINING", "chargeAdjustment", CREDITED),
        again,
        *refused(request(1, **ONE_EURO, comment="x"), "REQUEST_ID_REUSED", "requestId", CREDITED),
        *applied(UNDO, (826_446, 173_554, 1_000_000), RESTORED, **REVERSAL),
        *refused(request(4, reversalOf=UNDONE), "ALREADY_REVERSED", "reversalOf", RESTORED),
        *malformed(bad, told),
        Step("chargeableEvent", BILLED),
        *applied(untax, (0, -2_100_000, -2_100_000), UNTAXED),
        *refused(NO_EVENT, "CHARGEABLE_EVENT_NOT_FOUND", "chargeableEventRefId", None),
        *refused(TWICE_WRONG, "VERSION_CONFLICT", "expectedVersion", UNTAXED),
    ]
    return [deepcopy(step) for step in history]  # so that an edit touches one message


APPLIED, APPLIED_EVENT, APPLIED_ADJUSTMENT, REFUSED, REPLAY, REUSED = 2, 3, 4, 5, 6, 7
REVERSED, AGAIN, BAD, UPSERT, NEXT_BILL, NOT_FOUND, STALE = 8, 11, 12, 13, 14, 17, 18

Edit = Callable[[list[Step]], object]


def put(step: int, path: str, value: object) -> Edit:
    """Write another value at this place of a step's message."""

    def edit(history: list[Step]) -> None:
        part = history[step].message
        *way, name = path.split(".")
        for key in way:
            part = part[key]
        part[name] = value

    return edit


def told(step: int, *codes: tuple[str, str]) -> Edit:
    errors = [{"code": code, "field": field, "message": "no"} for code, field in codes]
    return put(step, "errors", errors)


def instead(step: int, *others: Step, count: int = 1) -> Edit:
    def edit(history: list[Step]) -> None:
        history[step : step + count] = deepcopy(others)

    return edit


def flags(step: int, *, is_replay: bool = False, is_remembered: bool = True) -> Edit:
    def edit(history: list[Step]) -> None:
        history[step].is_replay, history[step].is_remembered = is_replay, is_remembered

    return edit


BELOW_ZERO = added(EFFECT, (-10_000_001, -2_100_000, -12_100_001))
TAKEN_TWICE = event(adjusted=(826_446, 173_554, 1_000_000), state="INCREASED", count=3, version=4)
EDITS: dict[str, Edit] = {
    "tax moved by one": put(APPLIED, "adjustment.effect.taxAmount", -173_553),
    "another before": put(APPLIED, "adjustment.before", amounts((1, 1, 2))),
    "another after": put(APPLIED, "adjustment.after", amounts(CHARGED)),
    "another user": put(APPLIED, "adjustment.user", "crm:john"),
    "another refId": put(APPLIED, "adjustment.refId", "ADJ-1"),
    "another reason": put(APPLIED, "adjustment.reason", "OTHER"),
    "another mode": put(APPLIED, "adjustment.adjustmentMode", "FULL"),
    "a stale version": put(APPLIED, "chargeableEvent.version", 1),
    "a stale version in the adjustment": put(APPLIED, "adjustment.eventVersion", 1),
    "a count forgotten": put(APPLIED, "chargeableEvent.adjustmentCount", 0),
    "a wrong state": put(APPLIED, "chargeableEvent.adjustmentState", "INCREASED"),
    "an untouched field touched": put(APPLIED, "chargeableEvent.glCode", None),
    "remaining as before": put(APPLIED, "remaining", amounts(CHARGED)),
    "a true for a one": put(APPLIED, "chargeableEvent.adjustmentCount", value=True),
    "a time of its own": put(APPLIED, "adjustment.requestedAt", "2026-11-05T09:30:01.000Z"),
    "an attribute missing": lambda history: history[APPLIED].message.pop("remaining"),
    "the wrong bill": put(NEXT_BILL, "adjustment.billingTreatment", "SAME_PERIOD"),
    "the treatment lost": put(NEXT_BILL, "adjustment.taxTreatment", "PROPORTIONAL"),
    "another image": put(APPLIED_EVENT, "current", amounts(CHARGED)),
    "another adjustment": put(APPLIED_ADJUSTMENT, "comment", "no"),
    "no image": instead(APPLIED_EVENT),
    "no adjustment": instead(APPLIED_ADJUSTMENT),
    "no image at all": instead(APPLIED_EVENT, count=2),
    "an adjustment from nowhere": instead(UPSERT, Step("adjustment", {"account": {"refId": "A"}})),
    "applied, but refused was right": instead(
        REFUSED,
        *applied(
            TOO_MUCH,
            (-10_000_001, -2_100_000, -12_100_001),
            event(adjusted=BELOW_ZERO, state="PARTIALLY_CREDITED", count=2, version=3),
        ),
    ),
    "refused, but applied was right": instead(
        APPLIED,
        *refused(request(1, **ONE_EURO), "NOTHING_TO_ADJUST", "chargeAdjustment", event()),
        count=3,
    ),
    "a wrong code": told(REFUSED, ("SUM_OUT_OF_RANGE", "chargeAdjustment")),
    "a wrong field": told(REFUSED, ("CREDIT_EXCEEDS_REMAINING", "percent")),
    "a code that is not the first": told(STALE, ("REASON_NOT_CONFIGURED", "reason")),
    "both codes": told(
        STALE, ("VERSION_CONFLICT", "expectedVersion"), ("REASON_NOT_CONFIGURED", "reason")
    ),
    "a refusal without a message": put(
        REFUSED, "errors", [{"code": "CREDIT_EXCEEDS_REMAINING", "field": "chargeAdjustment"}]
    ),
    "a refusal with an old charge": put(REFUSED, "chargeableEvent", event()),
    "a refusal without the charge": put(REFUSED, "chargeableEvent", None),
    "a refusal without what remains": put(REFUSED, "remaining", None),
    "a charge that is not there": put(NOT_FOUND, "chargeableEvent", event()),
    "a replay not marked": flags(REPLAY),
    "a replay of another text": put(REPLAY, "requestedAt", None),
    "a replay decided anew": instead(
        REPLAY,
        *applied(
            request(1, **ONE_EURO),
            EFFECT,
            event(adjusted=added(EFFECT, EFFECT), state="PARTIALLY_CREDITED", count=2, version=3),
        ),
    ),
    "a first one marked as a replay": flags(REFUSED, is_replay=True),
    "a refused one not remembered": flags(REFUSED, is_remembered=False),
    "a reuse remembered": flags(REUSED),
    "a reuse answered like the first": instead(
        REUSED,
        Step("result", good_history()[REPLAY].message, request(1, **ONE_EURO, comment="x")),
    ),
    "a malformed one remembered": flags(BAD),
    "a fault not told": told(BAD, ("INVALID_TYPE", "user")),
    "faults out of order": told(BAD, ("UNKNOWN_ATTRIBUTE", "unheard"), ("INVALID_TYPE", "user")),
    "reversed twice": instead(
        AGAIN,
        *applied(
            request(4, reversalOf=UNDONE),
            (826_446, 173_554, 1_000_000),
            TAKEN_TWICE,
            **REVERSAL,
        ),
    ),
    "a reversal of the same type": put(REVERSED, "adjustment.chargeType", "CREDIT"),
    "a reversal that names nothing": put(REVERSED, "adjustment.reversalOf", None),
    "an upsert that forgets": put(UPSERT, "adjusted", amounts(EFFECT)),
    "an upsert that skips a version": put(UPSERT, "version", 5),
    "an upsert in other money": put(UPSERT, "currency", "USD"),
    "an upsert with a wrong count": put(UPSERT, "adjustmentCount", 3),
    "an upsert that says nothing new": lambda history: history[UPSERT].message.update(
        status="RATED", invoiceRefId=None
    ),
    "an upsert below zero": put(UPSERT, "original", amounts((-1, 1, 0))),
}


def test_a_good_history_is_agreed_with() -> None:
    assert faults(good_history()) == []


@pytest.mark.parametrize("name", EDITS)
def test_a_planted_fault_is_noticed(name: str) -> None:
    history = good_history()
    EDITS[name](history)
    assert faults(history) != []

"""The auditor reads the order of the rules and the forms as agreed; hand-written tables."""

import pytest

from tests.tools.histories import (
    ACCOUNT,
    CHARGED,
    EVENT,
    Body,
    Step,
    Three,
    account,
    applied,
    event,
    faults,
    malformed,
    refused,
    request,
    request_id,
)
from tools.audit.rules import RULES

RAISED = {"adjustmentMode": "SET_TO", "targetAmount": 10**15, "taxIncluded": True}
NAMED, RIGHT_VERSION = {"chargeableEventRefId": EVENT}, {"expectedVersion": 1}
SAME = {"reason": "GOODWILL", "targetAmount": 12_100_000}
CREDIT: Body = {
    "adjustmentMode": None,
    "targetAmount": None,
    "chargeType": "CREDIT",
    "chargeAdjustment": 10**15,
}
DEBIT = {"chargeType": "DEBIT", "reason": None}
INACTIVE = {"state": "INACTIVE", "billingInProgress": True}
LADDER: list[tuple[str, str, Body | None, Body]] = [  # each row mends one fault of the row before
    ("ACCOUNT_NOT_FOUND", "account.refId", None, {}),
    ("ACCOUNT_STATE_INVALID", "account.refId", INACTIVE, {}),
    ("BILLING_IN_PROGRESS", "account.refId", {"billingInProgress": True}, {}),
    ("CHARGEABLE_EVENT_NOT_FOUND", "chargeableEventRefId", {}, {}),
    ("VERSION_CONFLICT", "expectedVersion", {}, NAMED),
    ("CURRENCY_MISMATCH", "currency", {}, RIGHT_VERSION),
    ("REASON_NOT_CONFIGURED", "reason", {}, {"currency": "EUR"}),
    ("REASON_NOT_APPLICABLE", "reason", {}, {"reason": "GOODWILL"}),
    ("COMMENT_REQUIRED", "comment", {}, {"reason": "OTHER"}),
    ("NOTHING_TO_ADJUST", "targetAmount", {}, SAME),
    ("CREDIT_EXCEEDS_REMAINING", "chargeAdjustment", {}, CREDIT),
    ("SUM_OUT_OF_RANGE", "chargeAdjustment", {}, DEBIT),
]


def wrong_in_every_way(rows: int) -> tuple[Body, list[Step]]:
    """Give the request of the ladder with this many rows mended, and what came before it."""
    said: Body = {
        **RAISED,
        "chargeableEventRefId": "CE-UNKNOWN",
        "expectedVersion": 9,
        "currency": "JPY",
        "reason": "WEATHER",
    }
    for _, _, _, mended in LADDER[: rows + 1]:
        said |= mended
    state = LADDER[rows][2]
    known = [Step("account", account(**state))] if state is not None else []
    return request(1, **said), [*known, Step("chargeableEvent", event())]


@pytest.mark.parametrize("row", range(len(LADDER)))
def test_the_first_broken_rule_is_the_answer_and_no_other(row: int) -> None:
    asked, before = wrong_in_every_way(row)
    image = event() if asked["chargeableEventRefId"] == EVENT else None
    for code, field, _, _ in LADDER:
        is_right = code == LADDER[row][0]
        said = faults([*before, *refused(asked, code, field, image)])
        assert (said == []) == is_right, (code, said)


def test_an_adjustment_is_reversed_once_on_its_own_event_and_a_reversal_never() -> None:
    three: Three = (-826_446, -173_554, -1_000_000)
    credit = {"chargeType": "CREDIT", "taxIncluded": True, "chargeAdjustment": 1_000_000}
    reversal = {"chargeType": "DEBIT", "adjustmentMode": "REVERSAL"}
    first, second = (f"ADJ-{ACCOUNT}-{request_id(number)}" for number in (1, 2))
    other = event(refId="CE-2")
    credited = event(CHARGED, three, "PARTIALLY_CREDITED", count=1, version=2)
    restored = event(count=2, version=3)
    history = [
        Step("account", account()),
        Step("chargeableEvent", event()),
        Step("chargeableEvent", other),
        *applied(request(1, **credit), three, credited),
        *refused(
            request(4, reversalOf=first, chargeableEventRefId="CE-2"),
            "ADJUSTMENT_NOT_FOUND",
            "reversalOf",
            other,
        ),
        *applied(
            request(2, reversalOf=first),
            (826_446, 173_554, 1_000_000),
            restored,
            reversalOf=first,
            **reversal,
        ),
        *refused(request(5, reversalOf=first), "ALREADY_REVERSED", "reversalOf", restored),
        *refused(request(6, reversalOf=second), "NOT_REVERSIBLE", "reversalOf", restored),
        *refused(request(7, reversalOf="ADJ-1"), "ADJUSTMENT_NOT_FOUND", "reversalOf", restored),
    ]
    assert faults(history) == []


def test_every_rule_of_the_ladder_has_a_row() -> None:
    reversals = {"ADJUSTMENT_NOT_FOUND", "ALREADY_REVERSED", "NOT_REVERSIBLE"}
    rows = [code for code, _, _, _ in LADDER]
    assert rows == [code for code in RULES[1:] if code not in reversals]


M, T, F, E, U, N, R, C = (
    "MISSING_ATTRIBUTE",
    "INVALID_TYPE",
    "INVALID_FORMAT",
    "INVALID_ENUM",
    "UNKNOWN_ATTRIBUTE",
    "AMOUNT_NOT_POSITIVE",
    "AMOUNT_OUT_OF_RANGE",
    "CONFLICTING_ATTRIBUTES",
)
MODE, TREATMENT, WITH_TAX = "adjustmentMode", "taxTreatment", "taxIncluded"
TYPE, AMOUNT, PERCENT, TARGET = "chargeType", "chargeAdjustment", "percent", "targetAmount"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, [(M, AMOUNT), (M, TYPE), (M, WITH_TAX)]),
        ({MODE: "PERCENT"}, [(M, TYPE), (M, PERCENT), (M, WITH_TAX)]),
        ({MODE: "SET_TO", TREATMENT: "NO_TAX"}, [(M, TARGET)]),
        ({MODE: "FULL"}, [(M, TYPE)]),
        ({MODE: "FULL", TYPE: "DEBIT"}, [(C, TYPE)]),
        ({MODE: "FULL", TYPE: "CREDIT", WITH_TAX: False}, [(C, WITH_TAX)]),
        ({MODE: "FULL", TYPE: "CREDIT", WITH_TAX: "no"}, [(T, WITH_TAX), (C, WITH_TAX)]),
        (
            {MODE: "SET_TO", TREATMENT: "TAX_ONLY", WITH_TAX: True, TYPE: "X", TARGET: -1},
            [(E, TYPE), (R, TARGET), (C, TYPE), (C, WITH_TAX)],
        ),
        ({MODE: "REVERSAL", PERCENT: 0, AMOUNT: 5}, [(E, MODE), (N, PERCENT)]),
        (
            {MODE: 1, TREATMENT: "NO_TAX", WITH_TAX: True},
            [(T, MODE), (C, WITH_TAX)],
        ),
        ({TREATMENT: "TAX", WITH_TAX: True}, [(M, AMOUNT), (M, TYPE), (E, TREATMENT)]),
        (
            {MODE: "PERCENT", TYPE: "CREDIT", PERCENT: 10_001, TREATMENT: "NO_TAX"},
            [(R, PERCENT)],
        ),
        (
            {MODE: "PERCENT", TYPE: "DEBIT", PERCENT: 1_000_001, TREATMENT: "NO_TAX"},
            [(R, PERCENT)],
        ),
        ({"reversalOf": "ADJ-1", MODE: "GIFT", AMOUNT: 5}, [(E, MODE), (C, MODE), (C, AMOUNT)]),
        ({"reversalOf": "ADJ 1", MODE: "FULL", AMOUNT: 5}, [(F, "reversalOf")]),
        (
            {"reversalOf": "A" * 105, "expectedVersion": 2**63, "account": {"name": "Jane"}},
            [(M, "account.refId"), (F, "expectedVersion"), (U, "account.name")],
        ),
        (
            {"reversalOf": "A", "user": "", "requestId": "1", "currency": 1, "comment": "c" * 1001},
            [(T, "currency"), (F, "comment"), (F, "requestId"), (F, "user")],
        ),
    ],
)
def test_what_is_wrong_with_a_form_is_known_whole(said: Body, told: list[tuple[str, str]]) -> None:
    assert faults(malformed(request(1, **said), told)) == []
    assert faults(malformed(request(1, **said), told[1:])) != []

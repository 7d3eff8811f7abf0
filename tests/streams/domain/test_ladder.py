"""Tests that the rules are tried in the order of the enum: all wrong first, mended one by one."""

from typing import Any

from msgspec.structs import replace

from schemas.adjustment_result import AdjustmentResult
from schemas.reading import MalformedRequest, Unreadable, read_request
from schemas.refusals import Refusal
from streams.domain.decide import Answer, State, decide, refuse_malformed
from tests.builders import account, amounts, as_bytes, event, noted, request_body

NOT_REACHED = {  # no request of these fields can meet them
    Refusal.CONFLICTING_ATTRIBUTES,
    Refusal.VERSION_CONFLICT,
    Refusal.ADJUSTMENT_NOT_FOUND,
    Refusal.ALREADY_REVERSED,
    Refusal.NOT_REVERSIBLE,
    Refusal.NOTHING_TO_ADJUST,
    Refusal.AMBIGUOUS_ID,
}

# Wrong in every way: the request in each attribute, and all that it meets.
BODY = request_body(
    user=None,
    taxIncluded="yes",
    chargeableEventRefId="CE 500001",
    taxTreatment="SOMETIMES",
    percent=50,
    chargeAdjustment=0,
    currency="USD",
    reason="WHIM",
    comment=None,
    chargeType="DEBIT",
)
OWNER = account(state="DEACTIVATED", billingInProgress=True)
ROW = replace(event(), adjusted=amounts(-826446, -173554), current=amounts(9173554, 1926446))
STATE = State(account=None, chargeable_event=None, answer=Answer(b"another"))

Mend = dict[str, Any]

# What is refused, and what mends it: attributes of the request, or rows that it meets.
LADDER: list[tuple[str, Mend]] = [
    ("MISSING_ATTRIBUTE", {"user": "crm:jane"}),
    ("INVALID_TYPE", {"taxIncluded": True}),
    ("INVALID_FORMAT", {"chargeableEventRefId": "CE-500001"}),
    ("INVALID_ENUM", {"taxTreatment": "PROPORTIONAL"}),
    ("UNKNOWN_ATTRIBUTE", {"percent": None}),
    ("AMOUNT_NOT_POSITIVE", {"chargeAdjustment": 10**15 + 1}),
    ("AMOUNT_OUT_OF_RANGE", {"chargeAdjustment": 10**15}),
    ("REQUEST_ID_REUSED", {"answer": None}),
    ("ACCOUNT_NOT_FOUND", {"account_row": OWNER}),
    ("ACCOUNT_STATE_INVALID", {"account_row": account(billingInProgress=True)}),
    ("BILLING_IN_PROGRESS", {"account_row": account()}),
    ("CHARGEABLE_EVENT_NOT_FOUND", {"chargeable_event": ROW}),
    ("CURRENCY_MISMATCH", {"currency": "EUR"}),
    ("REASON_NOT_CONFIGURED", {"reason": "GOODWILL"}),
    ("REASON_NOT_APPLICABLE", {"reason": "OTHER", "chargeType": "CREDIT"}),
    ("COMMENT_REQUIRED", {"comment": "as agreed"}),
    ("CREDIT_EXCEEDS_REMAINING", {"chargeType": "DEBIT"}),
    ("SUM_OUT_OF_RANGE", {"chargeAdjustment": 1000000}),
]


def test_each_mended_fault_uncovers_the_next_rule_of_the_enum() -> None:
    body, state = BODY, STATE
    for code, mend in LADDER:
        assert _answer(body, state).errors[0].code == code
        body, state = _mended(body, state, mend)
    assert _answer(body, state).status == "APPLIED"


def test_the_ladder_is_the_enum_as_far_as_a_request_can_go() -> None:
    assert [code for code, _ in LADDER] == [it for it in Refusal if it not in NOT_REACHED]


def _answer(body: dict[str, Any], state: State) -> AdjustmentResult:
    read = read_request(as_bytes(body))
    assert not isinstance(read, Unreadable)
    if isinstance(read, MalformedRequest):
        return refuse_malformed(read, noted())
    result = decide(state, read, noted()).result
    assert result is not None
    return result


def _mended(body: dict[str, Any], state: State, mend: Mend) -> tuple[dict[str, Any], State]:
    rows = {"account_row": "account", "chargeable_event": "chargeable_event", "answer": "answer"}
    changed = {rows[name]: row for name, row in mend.items() if name in rows}
    asked = {name: value for name, value in mend.items() if name not in rows}
    return body | asked, replace(state, **changed)

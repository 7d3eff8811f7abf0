"""Tests that the rules are tried in the order of the enum: all wrong first, mended one by one."""

from typing import Any

from msgspec.structs import replace

from schemas.adjustment_result import AdjustmentResult
from schemas.reading import MalformedRequest, Unreadable, read_request
from schemas.refusals import Refusal
from streams.domain.decide import decide, refuse_malformed
from streams.domain.state import Answer, State
from tests.builders import account, adjusted, amounts, as_bytes, event, noted, request_body

# Wrong in every way: the request in each attribute, and all that it meets.
BODY = request_body(
    user=None,
    taxIncluded="yes",
    chargeableEventRefId="CE 500001",
    taxTreatment="SOMETIMES",
    colour="red",
    chargeAdjustment=0,
    targetAmount=0,
    expectedVersion=7,
    currency="USD",
    reason="WHIM",
    comment=None,
    chargeType="DEBIT",
)
OWNER = account(state="DEACTIVATED", billingInProgress=True)
ROW = replace(event(), adjusted=amounts(-826446, -173554), current=amounts(9173554, 1926446))
REVERSAL = replace(adjusted()[0], reversal_of="ADJ-ACC-1001-z")
STATE = State(None, None, Answer(b"another"))

Mend = dict[str, Any]
TO_REVERSE = dict.fromkeys(("chargeType", "chargeAdjustment", "taxIncluded", "taxTreatment")) | {
    "reversalOf": "ADJ-ACC-1001-x"
}
TO_SET = {"reversalOf": None, "adjustmentMode": "SET_TO", "taxIncluded": True}
TO_CREDIT = {"adjustmentMode": "AMOUNT", "targetAmount": None, "chargeType": "CREDIT"}

# What is refused, and what mends it: attributes of the request, or rows that it meets.
LADDER: list[tuple[str, Mend]] = [
    ("MISSING_ATTRIBUTE", {"user": "crm:jane"}),
    ("INVALID_TYPE", {"taxIncluded": True}),
    ("INVALID_FORMAT", {"chargeableEventRefId": "CE-500001"}),
    ("INVALID_ENUM", {"taxTreatment": "PROPORTIONAL"}),
    ("UNKNOWN_ATTRIBUTE", {"colour": None}),
    ("AMOUNT_NOT_POSITIVE", {"chargeAdjustment": 10**15 + 1}),
    ("AMOUNT_OUT_OF_RANGE", {"chargeAdjustment": 10**15}),
    ("CONFLICTING_ATTRIBUTES", {"targetAmount": None}),
    ("REQUEST_ID_REUSED", {"answer": None}),
    ("ACCOUNT_NOT_FOUND", {"account_row": OWNER}),
    ("ACCOUNT_STATE_INVALID", {"account_row": account(billingInProgress=True)}),
    ("BILLING_IN_PROGRESS", {"account_row": account()}),
    ("CHARGEABLE_EVENT_NOT_FOUND", {"chargeable_event": ROW}),
    ("VERSION_CONFLICT", {"expectedVersion": ROW.version}),
    ("CURRENCY_MISMATCH", {"currency": "EUR"}),
    ("REASON_NOT_CONFIGURED", {"reason": "GOODWILL"}),
    ("REASON_NOT_APPLICABLE", {"reason": "OTHER"}),
    (
        "COMMENT_REQUIRED",
        {
            **TO_REVERSE,
            "comment": "as agreed",
            "adjustment": replace(REVERSAL, chargeable_event_ref_id="CE-2"),
            "reversed_by": "ADJ-ACC-1001-y",
        },
    ),
    ("ADJUSTMENT_NOT_FOUND", {"adjustment": REVERSAL}),
    ("ALREADY_REVERSED", {"reversed_by": None}),
    ("NOT_REVERSIBLE", {"adjustment": None, **TO_SET, "targetAmount": 11100000}),
    ("NOTHING_TO_ADJUST", {**TO_CREDIT, "chargeAdjustment": 10**15}),
    ("CREDIT_EXCEEDS_REMAINING", {"chargeType": "DEBIT"}),
    ("SUM_OUT_OF_RANGE", {"chargeAdjustment": 1000000}),
]


def test_each_mended_fault_uncovers_the_next_rule_of_the_enum() -> None:
    body, state = BODY, STATE
    for code, mend in LADDER:
        assert _answer(body, state).errors[0].code == code
        body, state = _mended(body, state, mend)
    assert _answer(body, state).status == "APPLIED"


def test_the_ladder_is_the_whole_enum() -> None:
    only_rest = {Refusal.AMBIGUOUS_ID}
    assert [code for code, _ in LADDER] == [it for it in Refusal if it not in only_rest]


def _answer(body: dict[str, Any], state: State) -> AdjustmentResult:
    read = read_request(as_bytes(body))
    assert not isinstance(read, Unreadable)
    if isinstance(read, MalformedRequest):
        return refuse_malformed(read, noted())
    result = decide(state, read, noted()).result
    assert result is not None
    return result


def _mended(body: dict[str, Any], state: State, mend: Mend) -> tuple[dict[str, Any], State]:
    rows = {"account_row": "account"} | {name: name for name in State.__struct_fields__[1:]}
    changed = {rows[name]: row for name, row in mend.items() if name in rows}
    asked = {name: value for name, value in mend.items() if name not in rows}
    return body | asked, replace(state, **changed)

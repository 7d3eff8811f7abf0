"""Laws that hold for any row of upserts and requests, by an auditor with books of its own."""

from collections.abc import Callable

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent
from schemas.refusals import Refusal
from streams.domain.decide import decide
from streams.domain.state import State
from tests.builders import ABSENT, account, amounts, event, noted, request, reversal_body
from tests.streams.domain.ledger import Ledger
from tests.streams.domain.strategies import Body, Step, histories, originals, owners

TO_SET: Body = {"adjustmentMode": "SET_TO", "chargeType": ABSENT, "chargeAdjustment": ABSENT}


def test_applied_means_allowed_and_refused_means_a_rule_was_broken() -> None:
    everything = {"APPLIED", *Refusal} - {Refusal.AMBIGUOUS_ID}
    reached: set[str] = set()

    @settings(max_examples=200)
    @given(histories)
    def law(history: list[Step]) -> None:
        ledger = Ledger()
        for kind, body in history:
            ledger.take(kind, body)
        assert ledger.auditor.outstanding() == []
        reached.update(ledger.codes)

    for number in range(20):  # some refusals are rare among so few draws
        seed(number)(law)()
        if reached == everything:
            return
    assert reached == everything, "what is drawn shows too little"


LAST: dict[
    str, Callable[[Amounts], list[Body]]
] = {  # what takes all that is left, by what the credits before it were
    "with tax": lambda left: [{"chargeAdjustment": left.tax_included_amount}],
    "without tax": lambda left: [
        {"chargeAdjustment": left.tax_excluded_amount, "taxIncluded": False}
    ],
    "target": lambda _left: [{**TO_SET, "targetAmount": 0}],
    "part by part": lambda left: [
        {"chargeAdjustment": left.tax_amount, "taxIncluded": ABSENT, "taxTreatment": "TAX_ONLY"},
        {
            "chargeAdjustment": left.tax_excluded_amount,
            "taxIncluded": ABSENT,
            "taxTreatment": "NO_TAX",
        },
    ],
}


@given(st.sampled_from(sorted(LAST)), originals, st.lists(st.tuples(st.booleans(), st.integers(1))))
def test_partial_credits_that_take_all_close_at_exactly_zero(
    last: str, original: Body, credits_before: list[tuple[bool, int]]
) -> None:
    row = event(original=original)
    for with_tax, drawn in credits_before[:8]:
        left = row.current
        most = left.tax_included_amount if with_tax else left.tax_excluded_amount
        if most:
            row = _adjusted(row, chargeAdjustment=1 + drawn % most, taxIncluded=with_tax)
    if last == "without tax" and not row.current.tax_excluded_amount:
        last = "with tax"
    for asked in LAST[last](row.current):
        if asked.get("chargeAdjustment") != 0 and row.current != amounts(0, 0):
            row = _adjusted(row, **asked)
    assert row.current == amounts(0, 0)


@given(owners, originals, st.integers(1, 10**6), st.booleans())
def test_a_reversal_restores_the_three_amounts(
    owner: Body,
    original: Body,
    percent: int,
    with_tax: bool,  # noqa: FBT001 - drawn
) -> None:
    row = event(original=original)
    asked = request(
        adjustmentMode="PERCENT",
        percent=percent,
        chargeType="DEBIT" if percent > 10_000 else "CREDIT",
        taxIncluded=with_tax,
        chargeAdjustment=ABSENT,
    )
    there = account(**owner | {"state": "ACTIVE", "billingInProgress": False})
    first = decide(State(there, row, None), asked, noted())
    if first.adjustment is None:
        return
    back = request(**_only(reversal_body(first.adjustment.ref_id)))
    state = State(there, first.chargeable_event, None, first.adjustment)
    second = decide(state, back, noted())
    assert second.chargeable_event is not None
    assert second.chargeable_event.current == row.current
    assert second.chargeable_event.adjusted == amounts(0, 0)


def _adjusted(row: ChargeableEvent, **changes: object) -> ChargeableEvent:
    after = decide(State(account(), row, None), request(**changes), noted()).chargeable_event
    assert after is not None
    return after


def _only(body: Body) -> Body:
    """Every other attribute left out."""
    absent = ("chargeType", "chargeAdjustment", "taxIncluded", "reason", "comment")
    return dict.fromkeys(absent, ABSENT) | body

"""Laws that hold for any row of upserts and requests, by an auditor with books of its own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.chargeable_event import ChargeableEvent
from schemas.refusals import Refusal
from streams.domain.decide import decide
from streams.domain.state import State
from tests.builders import ABSENT, account, amounts, event, noted, request, reversal_body
from tests.streams.domain.ledger import Ledger
from tests.streams.domain.strategies import Body, Step, histories, originals, owners


@settings(max_examples=200)
@given(histories)
def test_applied_means_allowed_and_refused_means_a_rule_was_broken(history: list[Step]) -> None:
    ledger = Ledger()
    for kind, body in history:
        ledger.take(kind, body)
    assert ledger.auditor.outstanding() == []


def test_what_is_drawn_reaches_every_refusal() -> None:
    reached: set[str] = set()

    @settings(max_examples=400, derandomize=True, database=None)
    @given(histories)
    def draw(history: list[Step]) -> None:
        ledger = Ledger()
        for kind, body in history:
            ledger.take(kind, body)
        reached.update(ledger.codes)

    draw()
    assert reached == {"APPLIED", *Refusal} - {Refusal.AMBIGUOUS_ID}


@given(originals, st.data())
def test_partial_credits_that_take_all_close_at_exactly_zero(
    original: Body, data: st.DataObject
) -> None:
    row = event(original=original)
    for _ in range(data.draw(st.integers(0, 8))):
        treatment = data.draw(st.sampled_from(["PROPORTIONAL", "NO_TAX", "TAX_ONLY"]))
        with_tax = treatment == "PROPORTIONAL" and data.draw(st.booleans())
        most = row.current.tax_included_amount if with_tax else row.current.tax_excluded_amount
        most = row.current.tax_amount if treatment == "TAX_ONLY" else most
        if most:
            amount = data.draw(st.integers(1, most))
            asked = {"chargeAdjustment": amount, "taxIncluded": with_tax}
            row = _adjusted(row, taxTreatment=treatment, **asked)
    if row.current.tax_included_amount:
        row = _adjusted(row, adjustmentMode="FULL", chargeAdjustment=ABSENT, taxIncluded=ABSENT)
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

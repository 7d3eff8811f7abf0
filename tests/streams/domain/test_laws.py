"""Laws that hold for any row of requests, checked against an auditor with books of its own."""

import json
import uuid
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.chargeable_event import ChargeableEvent
from streams.domain.decide import content_of, decide
from streams.domain.state import Answer, State
from tests.builders import (
    account,
    account_body,
    amounts,
    amounts_body,
    event,
    event_body,
    noted,
    request,
    request_body,
)
from tests.streams.domain.auditor import Auditor

Body = dict[str, Any]

sums = st.integers(0, 50) | st.integers(0, 10**8) | st.integers(0, 5 * 10**14)
mostly = st.sampled_from
originals = st.builds(amounts_body, sums, sums)
owners = st.builds(
    account_body,
    state=mostly(["ACTIVE"] * 4 + ["SUSPENDED", "INACTIVE", "DEACTIVATED"]),
    billingInProgress=mostly([False] * 5 + [True]),
    taxExempt=st.booleans(),
)
charges = st.builds(
    event_body,
    original=originals,
    tax=st.builds(dict, code=st.just("VAT"), rate=st.integers(0, 10000)),
    status=mostly(["RATED", "BILLED"]),
)
requests = st.builds(
    request_body,
    requestId=st.uuids().map(str),
    chargeType=mostly(["CREDIT", "CREDIT", "DEBIT"]),
    chargeAdjustment=st.integers(1, 60) | st.integers(1, 10**8) | st.integers(1, 10**15),
    taxIncluded=st.booleans(),
    currency=mostly(["EUR"] * 8 + ["USD"]),
    reason=mostly([None, "DISPUTE", "OTHER", "GOODWILL", "WHIM"]),
    comment=mostly([None, "as agreed", "as agreed", ""]),
)


@given(owners, charges, st.lists(requests, max_size=12))
def test_applied_means_allowed_and_refused_means_a_rule_was_broken(
    owner: Body, charge: Body, asked: list[Body]
) -> None:
    auditor, row = Auditor(owner, charge), event(**charge)
    for body in asked:
        decision = decide(State(account(**owner), row, None), request(**body), noted())
        auditor.check(body, json.loads(msgspec.json.encode(decision.result)))
        row = decision.chargeable_event or row


@given(originals, st.data())
def test_partial_credits_that_take_all_close_at_exactly_zero(
    original: Body, data: st.DataObject
) -> None:
    row = event(original=original)
    for _ in range(data.draw(st.integers(0, 8))):
        with_tax = data.draw(st.booleans())
        most = row.current.tax_included_amount if with_tax else row.current.tax_excluded_amount
        if most:
            row = _credited(row, data.draw(st.integers(1, most)), with_tax=with_tax)
    if row.current.tax_included_amount:
        row = _credited(row, row.current.tax_included_amount, with_tax=True)
    assert row.current == amounts(0, 0)


@given(owners, charges, requests)
def test_deciding_twice_gives_the_same_bytes(owner: Body, charge: Body, body: Body) -> None:
    first, second = (
        msgspec.json.encode(
            decide(State(account(**owner), event(**charge), None), request(**body), noted())
        )
        for _ in range(2)
    )
    assert first == second


@given(requests, requests, st.sampled_from(sorted(request_body())))
def test_a_repeat_is_a_replay_if_and_only_if_the_same_was_asked(
    first: Body, other: Body, attribute: str
) -> None:
    body = first | {attribute: other[attribute], "requestId": first["requestId"]}
    state = State(account(), event(), Answer(content_of(request(**first))))
    facts = noted(channel="TOPIC", batch=str(uuid.UUID(int=1)), requested_at=None)
    assert decide(state, request(**first | {"account": None}), facts).is_replay
    decision = decide(state, request(**body), facts)
    assert decision.is_replay == (_asked(body) == _asked(first))
    assert decision.is_replay or (
        decision.result is not None and decision.result.errors[0].code == "REQUEST_ID_REUSED"
    )


def _asked(body: Body) -> Body:
    return body | {"account": None, "reason": body["reason"] or "BILLING_ERROR"}


def _credited(row: ChargeableEvent, amount: int, *, with_tax: bool) -> ChargeableEvent:
    body = request(chargeAdjustment=amount, taxIncluded=with_tax)
    after = decide(State(account(), row, None), body, noted()).chargeable_event
    assert after is not None
    return after

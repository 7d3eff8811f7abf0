"""What may be drawn: an account, two charges, and what is sent about them after that."""

import uuid
from itertools import chain
from typing import Any

from hypothesis import strategies as st

from tests.builders import ABSENT, account_body, amounts_body, event_body, request_body

Body = dict[str, Any]
Step = tuple[str, Body]  # `account`, `event` or `request`, and what is sent
AT_CE_1: Body = {"chargeableEventRefId": "CE-1"}
UNDONE: Body = dict.fromkeys(("chargeType", "chargeAdjustment", "taxIncluded"), ABSENT)


def mostly(*common: Any, rarely: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Draw one of the common values, and one in twelve times each of the rare ones."""
    return st.sampled_from([*common * (12 * max(1, len(rarely)) // len(common)), *rarely])


sums = st.integers(0, 6) | st.integers(0, 10**8) | st.integers(0, 5 * 10**14)
some = st.integers(1, 8) | st.integers(1, 10**8) | st.integers(1, 10**15) | st.just(10**15)
originals = st.builds(amounts_body, sums, sums)
owners = st.builds(
    account_body,
    state=mostly("ACTIVE", rarely=("SUSPENDED", "INACTIVE", "DEACTIVATED")),
    billingInProgress=mostly(0, rarely=(1,)).map(bool),
    taxExempt=st.booleans(),
)
charges = st.builds(
    event_body,
    refId=mostly("CE-1", rarely=("CE-2",)),
    original=originals,
    tax=st.builds(dict, code=st.just("VAT"), rate=st.integers(0, 10000)),
    status=mostly("RATED", "BILLED"),
)
_treatments = st.builds(
    lambda treatment, said: {"taxTreatment": treatment, "taxIncluded": said},
    mostly("NO_TAX", "TAX_ONLY"),
    st.just(ABSENT) | st.just(False),  # noqa: FBT003 - what an attribute may be
) | st.builds(lambda said: {"taxIncluded": said}, st.booleans())
_charge_types = mostly("CREDIT", "CREDIT", "DEBIT")
_reversals: st.SearchStrategy[Body] = st.builds(
    dict,
    reversalOf=mostly(1, 2, 3, rarely=(99,)),  # so many steps ago; `_history` makes a refId of it
    **{name: st.just(ABSENT) for name in UNDONE},
)
_amounts: st.SearchStrategy[Body] = st.builds(dict, chargeType=_charge_types, chargeAdjustment=some)
_percents: st.SearchStrategy[Body] = st.builds(
    dict,
    adjustmentMode=st.just("PERCENT"),
    chargeType=_charge_types,
    percent=st.integers(1, 10000),
    chargeAdjustment=st.just(ABSENT),
)
_targets: st.SearchStrategy[Body] = st.builds(
    dict,
    adjustmentMode=st.just("SET_TO"),
    targetAmount=sums | some,
    chargeAdjustment=st.just(ABSENT),
    chargeType=st.just(ABSENT),
)
_full: st.SearchStrategy[Body] = st.builds(
    dict,
    adjustmentMode=st.just("FULL"),
    taxTreatment=mostly("PROPORTIONAL", "NO_TAX", "TAX_ONLY"),
    chargeAdjustment=st.just(ABSENT),
    taxIncluded=st.just(ABSENT),
)
_modes = (
    st.builds(lambda mode, tax: mode | tax, _amounts | _percents | _targets, _treatments)
    | _full
    | _reversals
)
_faults = mostly(
    {},
    rarely=(
        *({"user": ABSENT}, {"taxIncluded": 1}, {"currency": "euro"}, {"taxTreatment": "SOME"}),
        *({"colour": "red"}, {"percent": 0}, {"targetAmount": -1}, {"percent": 10001}),
    ),
)


def _request(common: Body, mode: Body, fault: Body) -> Body:
    return request_body(**common | mode | fault)


requests = st.builds(
    _request,
    st.builds(
        dict,
        requestId=mostly(0, rarely=(1, 2)),  # so many steps ago, as above
        chargeableEventRefId=mostly("CE-1", rarely=("CE-2", "CE-3")),
        currency=mostly("EUR", rarely=("USD",)),
        reason=mostly(None, "DISPUTE", "GOODWILL", rarely=("OTHER", "WHIM")),
        comment=mostly(None, "as agreed", rarely=(" ",)),
        expectedVersion=mostly(None, rarely=(1, 2, 3)),
    ),
    _modes,
    _faults,
)
_debits = st.builds(
    lambda amount: [("request", request_body(requestId=0, **AT_CE_1, **amount))],
    st.builds(dict, chargeType=st.just("DEBIT"), chargeAdjustment=some),
)
_undoings = st.builds(  # of the step before, of that one again, and of the first undoing
    lambda *ago: [
        ("request", request_body(requestId=0, **AT_CE_1, **UNDONE, reversalOf=each)) for each in ago
    ],
    st.just(1),
    mostly(2, rarely=(1,)),
    mostly(2, rarely=(3,)),
)
_stories = st.builds(lambda first, then: first + then, _debits, _undoings)
steps = st.sampled_from(
    [
        *[requests.map(lambda body: [("request", body)])] * 10,
        owners.map(lambda body: [("account", body)]),
        charges.map(lambda body: [("event", body)]),
        _stories,
    ]
).flatmap(lambda step: step)


def _history(sent: list[Step]) -> list[Step]:
    """Name each request after its place, so that requests can repeat and reverse earlier ones."""
    return [(kind, _named(place, body)) for place, (kind, body) in enumerate(sent)]


def _named(place: int, body: Body) -> Body:
    if "requestId" not in body:
        return body
    named = {"requestId": _request_id(place - body["requestId"])}
    if "reversalOf" in body:
        named["reversalOf"] = f"ADJ-ACC-1001-{_request_id(place - body['reversalOf'])}"
    return body | named


def _request_id(place: int) -> str:
    return str(uuid.UUID(int=place % 2**128))


histories = st.builds(
    lambda known, owner, second, first, rest: _history(
        [("account", owner)] * known
        + [("event", second | {"refId": "CE-2"}), ("event", first), *chain.from_iterable(rest)]
    ),
    mostly(1, rarely=(0,)),
    owners,
    charges,
    charges,
    st.lists(steps, min_size=4, max_size=16),
)

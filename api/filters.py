"""Which parameters each search takes, and what they say of the rows."""

from collections.abc import Mapping
from typing import Any

from api.adjustment_search import RequestFilters
from api.event_filters import EventFilters
from api.parameters import AMOUNT, CURRENCY, INSTANT, REF_ID, one_of, text
from schemas.chargeable_event import AdjustmentState, ChargeableEventKind, ChargeableEventStatus
from schemas.forms import Explained

TEXT_MAX, USER_MAX, Q_MAX = 64, 128, 128  # characters


class RequestStatus(Explained):
    """What has become of a request."""

    RECEIVED = "RECEIVED", "It is not decided yet."
    APPLIED = "APPLIED", "The charge was adjusted."
    REFUSED = "REFUSED", "A rule refused it; nothing changed."


OWNER = {"account": REF_ID}
OF_EVENTS = {
    "account": REF_ID,
    "from": INSTANT,
    "to": INSTANT,
    "usageType": text(TEXT_MAX),
    "kind": one_of(*ChargeableEventKind),
    "status": one_of(*ChargeableEventStatus),
    "adjustmentState": one_of(*AdjustmentState),
    "currency": CURRENCY,
    "minAmount": AMOUNT,
    "maxAmount": AMOUNT,
    "q": text(Q_MAX),
}
OF_BATCH_ITEMS = {"status": one_of(RequestStatus.APPLIED, RequestStatus.REFUSED)}
OF_REQUESTS = {
    "account": REF_ID,
    "event": REF_ID,
    "status": one_of(*RequestStatus),
    "user": text(USER_MAX),
    "from": INSTANT,
    "to": INSTANT,
}


def event_filters(values: Mapping[str, Any]) -> EventFilters:
    """Give the filters that the parameters of a search of events say."""
    return EventFilters(
        account=values.get("account"),
        since=values.get("from"),
        before=values.get("to"),
        usage_type=values.get("usageType"),
        kind=values.get("kind"),
        status=values.get("status"),
        adjustment_state=values.get("adjustmentState"),
        currency=values.get("currency"),
        min_amount=values.get("minAmount"),
        max_amount=values.get("maxAmount"),
        q=values.get("q"),
    )


def request_filters(values: Mapping[str, Any]) -> RequestFilters:
    """Give the filters that the parameters of a search of requests say."""
    return RequestFilters(
        account=values.get("account"),
        event=values.get("event"),
        status=values.get("status"),
        user=values.get("user"),
        since=values.get("from"),
        before=values.get("to"),
    )

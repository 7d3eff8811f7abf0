"""Histories of one charge, written by hand, as the engine should publish them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tools.audit.auditor import Auditor, Disagreement

Body = dict[str, Any]
Three = tuple[int, int, int]
ACCOUNT, EVENT = "ACC-1001", "CE-500001"
TIME = "2026-11-05T09:30:00.123Z"
CHARGED: Three = (10_000_000, 2_100_000, 12_100_000)
ADJUSTMENT_NAMES = ("user", "chargeType", "adjustmentMode", "taxTreatment", "currency", "reason")


@dataclass
class Step:
    """A business transaction, or a result with its request."""

    kind: str
    message: Body
    request: Body | None = None
    is_replay: bool = False
    is_remembered: bool = True


def faults(history: list[Step]) -> list[str]:
    """What the auditor says of a history."""
    auditor = Auditor()
    return [*_faults(auditor, history), *auditor.outstanding()]


def _faults(auditor: Auditor, history: list[Step]) -> Iterator[str]:
    for step in deepcopy(history):
        try:
            if step.request is None:
                auditor.enter(step.kind, step.message)
            else:
                auditor.judge(
                    ACCOUNT,
                    step.request,
                    step.message,
                    is_replay=step.is_replay,
                    is_remembered=step.is_remembered,
                )
        except Disagreement as disagreement:
            yield str(disagreement)


def request_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def request(number: int, **said: object) -> Body:
    body = {
        "requestId": request_id(number),
        "user": "crm:jane",
        "chargeableEventRefId": EVENT,
        "currency": "EUR",
        **said,
    }
    return {name: value for name, value in body.items() if value is not None}


def amounts(three: Three) -> Body:
    names = ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
    return dict(zip(names, three, strict=True))


def added(one: Three, other: Three) -> Three:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def account(**said: object) -> Body:
    return {
        "refId": ACCOUNT,
        "externalId": "CRM-77",
        "currency": "EUR",
        "state": "ACTIVE",
        "taxExempt": False,
        "billingInProgress": False,
        "version": 1,
        **said,
    }


def event(
    charged: Three = CHARGED,
    adjusted: Three = (0, 0, 0),
    state: str = "NONE",
    count: int = 0,
    version: int = 1,
    **said: object,
) -> Body:
    return {
        "refId": EVENT,
        "account": {"refId": ACCOUNT},
        "usageType": "DATA_ROAMING",
        "kind": "USAGE",
        "eventDate": "2026-11-03T14:21:09+01:00",
        "quantity": 734_003_200,
        "unitOfMeasure": "BYTE",
        "currency": "EUR",
        "original": amounts(charged),
        "tax": {"code": "VAT21", "rate": 2100},
        "glCode": "4000-ROAM",
        "status": "RATED",
        "billingPeriod": {
            "start": "2026-11-01T00:00:00+01:00",
            "end": "2026-12-01T00:00:00+01:00",
        },
        "invoiceRefId": None,
        "adjusted": amounts(adjusted),
        "current": amounts(added(charged, adjusted)),
        "adjustmentState": state,
        "adjustmentCount": count,
        "version": version,
        **said,
    }


def applied(asked: Body, effect: Three, image: Body, **said: object) -> list[Step]:
    """The result of an applied request and the two business transactions that follow it."""
    excluded, tax, included = image["current"].values()
    before = added((excluded, tax, included), (-effect[0], -effect[1], -effect[2]))
    adjustment = {
        "refId": f"ADJ-{ACCOUNT}-{asked['requestId']}",
        "requestId": asked["requestId"],
        "user": "crm:jane",
        "channel": "TOPIC",
        "account": {"refId": ACCOUNT},
        "chargeableEventRefId": EVENT,
        "chargeType": "CREDIT",
        "adjustmentMode": "AMOUNT",
        "taxTreatment": "PROPORTIONAL",
        "currency": "EUR",
        "reason": "BILLING_ERROR",
        "comment": None,
        **{name: asked[name] for name in (*ADJUSTMENT_NAMES, "comment") if name in asked},
        "effect": amounts(effect),
        "before": amounts(before),
        "after": image["current"],
        "eventVersion": image["version"],
        "billingTreatment": "SAME_PERIOD" if image["status"] == "RATED" else "NEXT_BILL",
        "reversalOf": None,
        "batch": None,
        "requestedAt": TIME,
        **said,
    }
    result = _result(asked, "APPLIED", adjustment, image)
    return [
        Step("result", result, asked),
        Step("chargeableEvent", image),
        Step("adjustment", adjustment),
    ]


def refused(asked: Body, code: str, field: str, image: Body | None) -> list[Step]:
    """The result of a request that breaks a rule."""
    result = _result(asked, "REFUSED", None, image)
    result["errors"] = [{"code": code, "field": field, "message": "It is not allowed."}]
    return [Step("result", result, asked, is_remembered=code != "REQUEST_ID_REUSED")]


def malformed(asked: Body, told: list[tuple[str, str]]) -> list[Step]:
    """The result of a request of the wrong form."""
    result = _result(asked, "REFUSED", None, None)
    result["errors"] = [
        {"code": code, "field": field, "message": f"{field} is wrong."} for code, field in told
    ]
    return [Step("result", result, asked, is_remembered=False)]


def _result(asked: Body, status: str, adjustment: Body | None, image: Body | None) -> Body:
    named = asked.get("chargeableEventRefId")
    return {
        "requestId": asked["requestId"],
        "account": {"refId": ACCOUNT},
        "chargeableEventRefId": named if isinstance(named, str) else None,
        "status": status,
        "adjustment": adjustment,
        "chargeableEvent": image,
        "errors": [],
        "remaining": image["current"] if image else None,
        "requestedAt": TIME,
    }

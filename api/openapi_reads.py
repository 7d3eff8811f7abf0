"""The descriptions of searches, and of single events and accounts."""

from collections.abc import Mapping
from typing import Any

import msgspec

from api.filters import OF_EVENTS, OF_REQUESTS, OWNER
from api.openapi_examples import ACCOUNT as ACCOUNT_ID
from api.openapi_parts import BAD_PARAMETERS, KNOWN, REF, UNSURE, answer, body, problem
from api.pages import PAGING
from api.parameters import Parameter
from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.messages import examples_of
from schemas.refusals import Refusal

EVENT_ID = "CE-500001"
_Q = (
    "The beginning of any id: of the event, of its account, of the account at the caller, of a "
    "request that adjusted it. Or whole words of a comment on it, all of them."
)
_SAID: dict[str, tuple[str, Any]] = {
    "account": ("The account, by its refId.", ACCOUNT_ID),
    "event": ("The chargeable event, by its refId.", EVENT_ID),
    "from": ("The earliest time, included.", "2026-11-01T00:00:00Z"),
    "to": ("The latest time, not included.", "2026-12-01T00:00:00Z"),
    "usageType": ("What was used.", "DATA_ROAMING"),
    "kind": ("What is charged for.", "USAGE"),
    "status": ("How far it is.", None),
    "adjustmentState": ("What adjustments made of the charge.", "PARTIALLY_CREDITED"),
    "currency": ("ISO 4217 code.", "EUR"),
    "minAmount": ("The least `current.taxIncludedAmount`, in micro-units.", 1000000),
    "maxAmount": ("The greatest `current.taxIncludedAmount`, in micro-units.", 20000000),
    "q": (_Q, "CE-5000"),
    "user": ("On whose behalf was asked.", "crm:jane"),
    "limit": ("How many items at most; 50 if not given.", 50),
    "cursor": ("The `next` of the page before; the filters must be the same.", None),
}
_SEVERAL = problem("Several accounts have it, and none is named.", Refusal.AMBIGUOUS_ID, **KNOWN)
_UNKNOWN = problem(
    "Not there, in all that the topics hold.", Refusal.CHARGEABLE_EVENT_NOT_FOUND, **KNOWN
)
_ETAG = {"ETag": "The version, in quotation marks.", **KNOWN}
_SAME = {304: answer("`If-None-Match` names the version that it still has.", {}, **_ETAG)}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of what the caller has already.",
    "schema": {"type": "string"},
    "example": '"7"',
}


def parameters_of(known: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """Describe the parameters of a search."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": _SAID[name][0],
            "schema": dict(parameter.schema),
            **({} if _SAID[name][1] is None else {"example": _SAID[name][1]}),
        }
        for name, parameter in known.items()
    ]


def _ref_id(what: str, example: str) -> dict[str, Any]:
    return {
        "name": "ref_id",
        "in": "path",
        "required": True,
        "description": f"The refId of the {what}.",
        "schema": {"type": "string"},
        "example": example,
    }


def page_of(schema: str) -> dict[str, Any]:
    """Describe an answer that is a page."""
    return answer(
        "A page; `next` is null on the last.",
        body(schema),
        Link='The next page, `rel="next"`, if there is one.',
        **KNOWN,
    )


EVENTS: dict[str, Any] = {
    "summary": "Search chargeable events, newest first",
    "tags": ["chargeable events"],
    "operation_id": "searchChargeableEvents",
    "responses": {200: page_of("ChargeableEventPage"), 400: BAD_PARAMETERS},
    "openapi_extra": {"parameters": parameters_of({**OF_EVENTS, **PAGING})},
}
EVENT: dict[str, Any] = {
    "summary": "A chargeable event, and what may still be credited",
    "tags": ["chargeable events"],
    "operation_id": "getChargeableEvent",
    "responses": {
        200: answer("The event as it is.", body("ChargeableEventFound"), **_ETAG),
        **_SAME,
        400: BAD_PARAMETERS,
        404: _UNKNOWN,
        409: _SEVERAL,
        503: UNSURE,
    },
    "openapi_extra": {
        "parameters": [_ref_id("event", EVENT_ID), *parameters_of(OWNER), _IF_NONE_MATCH]
    },
}
HISTORY: dict[str, Any] = {
    "summary": "The adjustments of a chargeable event, oldest first",
    "tags": ["chargeable events"],
    "operation_id": "getChargeableEventHistory",
    "responses": {
        200: page_of("AdjustmentPage"),
        400: BAD_PARAMETERS,
        404: _UNKNOWN,
        409: _SEVERAL,
        503: UNSURE,
    },
    "openapi_extra": {
        "parameters": [_ref_id("event", EVENT_ID), *parameters_of({**OWNER, **PAGING})]
    },
}
REQUESTS: dict[str, Any] = {
    "summary": "Search requests with what they came to, newest first",
    "tags": ["adjustments"],
    "operation_id": "searchAdjustments",
    "responses": {200: page_of("RequestPage"), 400: BAD_PARAMETERS},
    "openapi_extra": {"parameters": parameters_of({**OF_REQUESTS, **PAGING})},
}
ACCOUNT: dict[str, Any] = {
    "summary": "An account",
    "tags": ["accounts"],
    "operation_id": "getAccount",
    "responses": {
        200: answer("The account as it is.", body("Account"), **_ETAG),
        **_SAME,
        400: BAD_PARAMETERS,
        404: problem("Not there, in all that the topics hold.", Refusal.ACCOUNT_NOT_FOUND, **KNOWN),
        503: UNSURE,
    },
    "openapi_extra": {"parameters": [_ref_id("account", ACCOUNT_ID), _IF_NONE_MATCH]},
}


def read_schemas() -> dict[str, Any]:
    """Give the schemas of what is read."""
    _, shared = msgspec.json.schema_components([Account, Adjustment], ref_template=REF + "{name}")
    found = {
        "title": "ChargeableEventFound",
        "description": "A chargeable event, and beside it what may still be credited.",
        "allOf": [{"$ref": REF + "ChargeableEvent"}],
        "type": "object",
        "required": ["remaining"],
        "properties": {"remaining": {"$ref": REF + "Amounts"}},
    }
    either = [{"$ref": REF + "AdjustmentResult"}, {"$ref": REF + "AdjustmentReceived"}]
    return {
        **shared,
        "ChargeableEventFound": found,
        "ChargeableEventPage": page_schema("ChargeableEvent", {"$ref": REF + "ChargeableEvent"}),
        "AdjustmentPage": page_schema("Adjustment", {"$ref": REF + "Adjustment"}),
        "RequestPage": page_schema("Request", {"oneOf": either}),
    }


def page_schema(name: str, item: dict[str, Any]) -> dict[str, Any]:
    """Give the schema of a page of such items."""
    return {
        "title": f"{name}Page",
        "description": "Items in their order, and where the next page begins.",
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {
                "type": "array",
                "items": item,
                "maxItems": PAGING["limit"].schema["maximum"],
            },
            "next": {
                "anyOf": [{"type": "string"}, {"type": "null"}],
                "description": "The `cursor` of the next page; null on the last.",
            },
        },
    }


def read_examples() -> dict[str, Any]:
    """Give an example of each answer."""
    (event,) = examples_of("chargeable-event").values()
    (account,) = examples_of("account").values()
    (adjustment,) = examples_of("adjustment").values()
    results = [each for each in examples_of("adjustment-result").values() if each["adjustment"]]
    shown = {
        "Account": account,
        "ChargeableEventFound": {**event, "remaining": event["current"]},
        "ChargeableEventPage": {"items": [event], "next": None},
        "AdjustmentPage": {"items": [adjustment], "next": None},
        "RequestPage": {"items": results, "next": None},
    }
    return {name: {"value": value} for name, value in shown.items()}

"""The description of REST: what the routes say of themselves, and the schemas they speak of."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import EXPLANATIONS, MEDIA_TYPE
from schemas.adjustment_result import AdjustmentResult
from schemas.messages import examples_of, schema_with_parts
from schemas.reasons import ReasonList

_REF = "#/components/schemas/"
_DESCRIPTION = (
    "Credits or debits a chargeable event, once for each requestId. Money is an integer of "
    "micro-units: 1 EUR is 1000000. What can go wrong is explained under [/problems](/problems)."
)
_REQUEST_ID = "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10"
_REQUEST_EXAMPLE: dict[str, Any] = {
    "requestId": _REQUEST_ID,
    "user": "crm:jane",
    "account": {"refId": "ACC-1001"},
    "chargeableEventRefId": "CE-500001",
    "chargeType": "CREDIT",
    "chargeAdjustment": 1000000,
    "currency": "EUR",
    "taxIncluded": True,
    "reason": "INCORRECT_METERING",
    "comment": "metered twice in roaming",
}
_RECEIVED_EXAMPLE: dict[str, Any] = {
    "requestId": _REQUEST_ID,
    "account": {"refId": "ACC-1001"},
    "chargeableEventRefId": "CE-500001",
    "status": "RECEIVED",
    "adjustment": None,
    "chargeableEvent": None,
    "errors": [],
    "remaining": None,
    "requestedAt": "2026-11-05T09:30:00.123Z",
}
_PROBLEM_EXAMPLE: dict[str, Any] = {
    "type": "/problems/credit-exceeds-remaining",
    "title": "Credit exceeds what remains",
    "status": 422,
    "detail": "The credit of 12.100001 EUR is more than the 11.10 EUR that remain on chargeable "
    "event CE-500001.",
    "instance": f"/v1/adjustments/{_REQUEST_ID}",
    "code": "CREDIT_EXCEEDS_REMAINING",
    "requestId": _REQUEST_ID,
    "account": {"refId": "ACC-1001"},
    "chargeableEventRefId": "CE-500001",
    "errors": [
        {
            "code": "CREDIT_EXCEEDS_REMAINING",
            "field": "chargeAdjustment",
            "message": "The credit of 12.100001 EUR is more than the 11.10 EUR that remain on "
            "chargeable event CE-500001.",
        }
    ],
    "remaining": {
        "taxExcludedAmount": 9173554,
        "taxAmount": 1926446,
        "taxIncludedAmount": 11100000,
    },
    "chargeableEvent": None,
    "requestedAt": "2026-11-05T09:30:00.123Z",
}

_EXAMPLES = {
    "AdjustmentRequest": {"value": _REQUEST_EXAMPLE},
    "AdjustmentReceived": {"value": _RECEIVED_EXAMPLE},
    "Problem": {"value": _PROBLEM_EXAMPLE},
}
_MODES = {
    shows.replace(" ", "-"): {"value": example}
    for shows, example in examples_of("adjustment-request").items()
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Give the OpenAPI document of the application."""
    document = get_openapi(
        title="Adjust",
        version=app.version,
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        routes=app.routes,
    )
    document["components"] = {"schemas": _schemas(), "examples": _EXAMPLES | _MODES}
    return document


def _schemas() -> dict[str, Any]:
    request = schema_with_parts("adjustment-request", _REF)
    _, answers = msgspec.json.schema_components(
        [AdjustmentResult, ReasonList], ref_template=_REF + "{name}"
    )
    return {
        **answers,
        **request.pop("$defs", {}),
        "AdjustmentRequest": request,
        "AdjustmentReceived": _received(answers["AdjustmentResult"]),
        "Problem": _PROBLEM,
    }


def _received(result: dict[str, Any]) -> dict[str, Any]:
    """Give the result's shape as it is before there is one."""
    return {
        **result,
        "title": "AdjustmentReceived",
        "description": "A request that is not decided yet.",
        "properties": {
            **result["properties"],
            "status": {"const": "RECEIVED"},
            "adjustment": {"type": "null"},
            "chargeableEvent": {"type": "null"},
            "errors": {"type": "array", "maxItems": 0},
            "remaining": {"type": "null"},
        },
    }


def _nullable(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "description": description}


_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "A problem document (RFC 9457). The fields from requestId on are those of the "
    "result, where a request was refused.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "description": "Address of the page that explains the code."},
        "title": {"type": "string", "description": "What the code means, in a few words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What was wrong this time."},
        "instance": {"type": "string", "description": "Address of what was asked for."},
        "code": {
            "type": "string",
            "enum": list(EXPLANATIONS),
            "description": "Which rule or mishap.",
        },
        "requestId": _nullable({"type": "string"}, "The request, if it has a readable id."),
        "account": _nullable({"$ref": _REF + "AccountReference"}, "The account."),
        "chargeableEventRefId": _nullable({"type": "string"}, "The event, as it was named."),
        "errors": {"type": "array", "items": {"$ref": _REF + "Fault"}},
        "remaining": _nullable({"$ref": _REF + "Amounts"}, "What may still be credited."),
        "chargeableEvent": _nullable({"$ref": _REF + "ChargeableEvent"}, "The event as it is."),
        "requestedAt": _nullable({"type": "string"}, "When Kafka appended the request, UTC."),
        "outcome": {"type": "string", "description": "With GATEWAY_TIMEOUT: what is known."},
    },
}


def _json(schema: str, media_type: str = "application/json") -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": _REF + schema}}
    if schema in _EXAMPLES:
        names = [schema, *(_MODES if schema == "AdjustmentRequest" else ())]
        content["examples"] = {name: {"$ref": f"#/components/examples/{name}"} for name in names}
    return {media_type: content}


def _answer(description: str, content: dict[str, Any], **headers: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": content,
        "headers": {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        },
    }


def _problem(description: str, **headers: str) -> dict[str, Any]:
    return _answer(description, _json("Problem", MEDIA_TYPE), **headers)


def _parameter(
    name: str, place: str, description: str, *, required: bool = False
) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }


_PREFER = _parameter(
    "Prefer",
    "header",
    "`wait=N`: seconds to wait for the result, 30 at most; `respond-async`: do not wait.",
)
_ASKED = [
    _parameter("request_id", "path", "The requestId, a GUID.", required=True),
    _parameter("account", "query", "The account, where several used the same id."),
]
_FOUND_PROBLEMS: dict[int | str, dict[str, Any]] = {
    404: _problem("NOT_FOUND: no such request was ever received."),
    409: _problem("AMBIGUOUS_ID: several accounts used the id, and none is named."),
    503: _problem("The topics have not been read to their ends.", Retry_After="Seconds."),
}
_ADJUST: dict[str, Any] = {
    "summary": "Credit or debit a chargeable event",
    "tags": ["adjustments"],
    "status_code": 201,
    "responses": {
        201: _answer(
            "Applied: the result.",
            _json("AdjustmentResult"),
            Location="Where the result stays.",
            Idempotent_Replayed="`true` where the request was answered before.",
        ),
        202: _answer(
            "Received, and not decided in the time to wait.",
            _json("AdjustmentReceived"),
            Location="Where the result will be.",
            Retry_After="Seconds until it makes sense to look.",
        ),
        400: _problem("Malformed; all faults are named at once."),
        404: _problem("Refused: account, event or adjustment is not known."),
        409: _problem("Refused: not possible as things stand."),
        413: _problem("The body has more than 1 MiB."),
        422: _problem("Refused by a rule."),
        503: _problem("Kafka cannot be reached; nothing was sent.", Retry_After="Seconds."),
        504: _problem("Outcome unknown: send it again with the same requestId."),
    },
    "openapi_extra": {
        "parameters": [
            _PREFER,
            _parameter(
                "Idempotency-Key", "header", "The requestId; stands in for one that is missing."
            ),
            _parameter("traceparent", "header", "Trace context, passed on to the results."),
        ],
        "requestBody": {"required": True, "content": _json("AdjustmentRequest")},
    },
}
ADJUST = {**_ADJUST, "operation_id": "adjust"}
ADJUST_ALIAS = {**_ADJUST, "operation_id": "adjustChargeableEvent"}
STANDING: dict[str, Any] = {
    "summary": "What has become of a request",
    "tags": ["adjustments"],
    "operation_id": "getAdjustment",
    "responses": {
        200: _answer(
            "The result, or that there is none yet.",
            {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": _REF + "AdjustmentResult"},
                            {"$ref": _REF + "AdjustmentReceived"},
                        ]
                    },
                }
            },
        ),
        **_FOUND_PROBLEMS,
    },
    "openapi_extra": {"parameters": [*_ASKED, _PREFER]},
}
EVENTS: dict[str, Any] = {
    "summary": "The same as server-sent events, until decided",
    "tags": ["adjustments"],
    "operation_id": "watchAdjustment",
    "responses": {
        200: _answer(
            "`received` while undecided, then `decided` with the result; then the stream ends.",
            {"text/event-stream": {"schema": {"type": "string"}}},
        ),
        **_FOUND_PROBLEMS,
    },
    "openapi_extra": {"parameters": _ASKED},
}
REASONS: dict[str, Any] = {
    "summary": "The reasons that a request may give",
    "tags": ["reasons"],
    "operation_id": "listReasons",
    "responses": {
        200: _answer(
            "All of them, on one page.",
            _json("ReasonList"),
            Cache_Control="How long the list may be kept.",
        ),
    },
}


def _plain(summary: str, media_type: str = "application/json", **more: Any) -> dict[str, Any]:
    content = {media_type: {"schema": {"type": "object" if "json" in media_type else "string"}}}
    return {
        "summary": summary,
        "tags": ["service"],
        "responses": {200: _answer(summary + ".", content), **more.pop("responses", {})},
        "openapi_extra": more,
    }


LIVE = _plain("Whether the process serves")
READY = _plain(
    "Whether what is known reaches the ends that the topics had at start",
    responses={503: _problem("Not yet.", Retry_After="Seconds.")},
)
METRICS = _plain("Counters for Prometheus", "text/plain")
ASYNCAPI = _plain("The description of the topics, AsyncAPI 3")
SCHEMA = _plain(
    "The JSON Schema of one message",
    responses={404: _problem("No such schema.")},
    parameters=[_parameter("name", "path", "Name of the message.", required=True)],
)
PROBLEM_PAGE = _plain(
    "The page that explains a code",
    "text/html",
    responses={404: _problem("No such code.")},
    parameters=[_parameter("name", "path", "The code in kebab case.", required=True)],
)

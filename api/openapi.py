"""The description of REST: what the routes say of themselves, and the schemas they speak of."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import StreamingResponse

from api.openapi_batches import batch_examples, batch_schemas
from api.openapi_examples import ACCOUNT, REQUEST_ID, all_examples, request_examples
from api.openapi_parts import (
    BAD_PARAMETERS,
    DECIDED,
    KNOWN,
    NOT_YET,
    READ_AFTER,
    REF,
    UNSURE,
    answer,
    body,
    parameter,
    problem,
    refusal,
)
from api.openapi_reads import read_examples, read_schemas
from api.problems import EXPLANATIONS, Mishap
from api.reading_after import PREVIEW
from schemas.adjustment_result import AdjustmentResult
from schemas.messages import schema_with_parts
from schemas.reasons import ReasonList
from schemas.refusals import Refusal

_DESCRIPTION = (
    "Credits or debits a chargeable event, once for each requestId. Money is an integer of "
    "micro-units: 1 EUR is 1000000. What can go wrong is explained under [/problems](/problems)."
)

REQUEST_BODY = body("AdjustmentRequest", examples=request_examples())
_TAGS = {
    "chargeable events": "What was charged, and what adjustments made of it.",
    "adjustments": "Corrections of charges: asked for, previewed and followed.",
    "batches": "Adjustments of a whole period, or of a list.",
    "accounts": "Who owes.",
    "reasons": "Why a charge may be corrected.",
    "service": "What operators and developers ask.",
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
    document["servers"] = [{"url": "/", "description": "This process."}]
    document["security"] = []  # nobody is asked who they are
    document["tags"] = [{"name": name, "description": said} for name, said in _TAGS.items()]
    examples = all_examples() | read_examples() | batch_examples()
    document["components"] = {"schemas": _schemas(), "examples": examples}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_what_many_share(operation, is_read=method == "get" or path == PREVIEW, path=path)
    return document


def _add_what_many_share(operation: dict[str, Any], *, is_read: bool, path: str) -> None:
    """Add what is the same wherever it is possible: a fault of ours, to read after an answer."""
    answers = operation["responses"]
    answers["500"] = problem("A fault of ours.", Mishap.INTERNAL_ERROR)
    if is_read and path.startswith("/v1/"):
        operation["parameters"] = [*operation.get("parameters", ()), READ_AFTER]
        answers.setdefault("400", BAD_PARAMETERS)
        answers.setdefault("503", NOT_YET)
    operation["responses"] = dict(sorted(answers.items()))


def _schemas() -> dict[str, Any]:
    request = schema_with_parts("adjustment-request", REF)
    _, answers = msgspec.json.schema_components(
        [AdjustmentResult, ReasonList], ref_template=REF + "{name}"
    )
    return {
        **read_schemas(),
        **answers,
        **request.pop("$defs", {}),
        "AdjustmentRequest": request,
        **batch_schemas(request),
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
            "errors": {**result["properties"]["errors"], "maxItems": 0},
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
        "account": _nullable({"$ref": REF + "AccountReference"}, "The account."),
        "chargeableEventRefId": _nullable({"type": "string"}, "The event, as it was named."),
        "errors": {"type": "array", "items": {"$ref": REF + "Fault"}},
        "remaining": _nullable({"$ref": REF + "Amounts"}, "What may still be credited."),
        "chargeableEvent": _nullable({"$ref": REF + "ChargeableEvent"}, "The event as it is."),
        "requestedAt": _nullable({"type": "string"}, "When Kafka appended the request, UTC."),
        "batchId": {"type": "string", "description": "The batch, if it is about one."},
        "outcome": {"type": "string", "description": "With GATEWAY_TIMEOUT: what is known."},
    },
}


_PREFER = parameter(
    "Prefer",
    "header",
    "`wait=N`: seconds to wait for the result, 30 at most; `respond-async`: do not wait.",
    example="wait=2",
)
_ASKED = [
    parameter("request_id", "path", "The requestId, a GUID.", required=True, example=REQUEST_ID),
    parameter("account", "query", "The account, where several used the same id.", example=ACCOUNT),
]
_FOUND_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: BAD_PARAMETERS,
    404: problem("No such request was ever received.", Mishap.NOT_FOUND, **KNOWN),
    409: problem("Several accounts used the id, and none is named.", Refusal.AMBIGUOUS_ID, **KNOWN),
    503: UNSURE,
}
_PLACE = {
    "path.request_id": "$response.body#/requestId",
    "query.account": "$response.body#/account/refId",
}
_FOLLOWED = {
    "getAdjustment": {
        "operationId": "getAdjustment",
        "description": "What has become of the request; with `Prefer: wait` once it is decided.",
        "parameters": _PLACE,
    },
    "watchAdjustment": {
        "operationId": "watchAdjustment",
        "description": "The same as a stream that ends with the result.",
        "parameters": _PLACE,
    },
}
_ADJUST: dict[str, Any] = {
    "summary": "Credit or debit a chargeable event",
    "tags": ["adjustments"],
    "status_code": 201,
    "responses": {
        201: {
            **answer(
                "Applied: the result.",
                body("AdjustmentResult"),
                Location="Where the result stays.",
                **DECIDED,
            ),
            "links": _FOLLOWED,
        },
        202: {
            **answer(
                "Received, and not decided in the time to wait.",
                body("AdjustmentReceived"),
                Location="Where the result will be.",
                Retry_After="Seconds until it makes sense to look.",
            ),
            "links": _FOLLOWED,
        },
        400: refusal(
            "Malformed; all faults are named at once.",
            400,
            Mishap.NOT_JSON,
            Mishap.NOT_AN_OBJECT,
            Mishap.BAD_REQUEST,
        )
        | {"headers": {}},
        404: refusal(
            "Refused: account, event or adjustment is not known. Where no account is named and "
            "none has the event, nothing was sent.",
            404,
        ),
        409: refusal(
            "Refused: not possible as things stand. Where no account is named and several have "
            "the event, nothing was sent.",
            409,
        ),
        413: problem("The body has more than 1 MiB.", Mishap.REQUEST_TOO_LARGE),
        422: refusal("Refused by a rule.", 422),
        503: problem(
            "Kafka cannot be reached, or has not been read far enough to tell whose the event is; "
            "nothing was sent.",
            Mishap.SERVICE_UNAVAILABLE,
            Retry_After="Seconds.",
        ),
        504: problem(
            "Outcome unknown: send it again with the same requestId.",
            Mishap.GATEWAY_TIMEOUT,
            Retry_After="Seconds.",
        ),
    },
    "openapi_extra": {
        "parameters": [
            _PREFER,
            parameter(
                "Idempotency-Key",
                "header",
                "The requestId; stands in for one that is missing.",
                example=REQUEST_ID,
            ),
            parameter(
                "traceparent",
                "header",
                "Trace context, passed on to the results.",
                example="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
        ],
        "requestBody": {"required": True, "content": REQUEST_BODY},
    },
}
ADJUST = {**_ADJUST, "operation_id": "adjust"}
ADJUST_ALIAS = {**_ADJUST, "operation_id": "adjustChargeableEvent"}
STANDING: dict[str, Any] = {
    "summary": "What has become of a request",
    "tags": ["adjustments"],
    "operation_id": "getAdjustment",
    "responses": {
        200: answer(
            "The result, or that there is none yet.",
            body("AdjustmentResult", "AdjustmentReceived"),
            **KNOWN,
        ),
        **_FOUND_PROBLEMS,
    },
    "openapi_extra": {"parameters": [*_ASKED, _PREFER]},
}
_EVENT = {  # of each event of the stream
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["received", "decided"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
EVENTS: dict[str, Any] = {
    "summary": "The same as server-sent events, until decided",
    "tags": ["adjustments"],
    "operation_id": "watchAdjustment",
    "response_class": StreamingResponse,
    "responses": {
        200: answer(
            "`received` while undecided, then `decided` with the result; then the stream ends.",
            {"text/event-stream": {"schema": _EVENT}},
            Cache_Control="`no-store`.",
            **KNOWN,
        ),
        **_FOUND_PROBLEMS,
    },
    "openapi_extra": {"parameters": _ASKED},
}

"""The descriptions of batches of adjustments."""

from typing import Any

from starlette.responses import StreamingResponse

from api.batches.submission import FILTERS, ITEMS_MAX, USER_MAX
from api.filters import OF_BATCH_ITEMS
from api.openapi_parts import BAD_PARAMETERS, KNOWN, REF, UNSURE, answer, body, parameter, problem
from api.openapi_reads import page_of, page_schema, parameters_of
from api.pages import PAGING
from api.problems import Mishap
from schemas.forms import CURRENCY_PATTERN, GUID_PATTERN, REF_ID_PATTERN
from schemas.messages import examples_of
from schemas.refusals import Refusal

BATCH_ID = "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11"
_ACCOUNT, _EVENT = "ACC-1001", "CE-500001"
_MALFORMED = (
    Refusal.MISSING_ATTRIBUTE,
    Refusal.INVALID_TYPE,
    Refusal.INVALID_FORMAT,
    Refusal.INVALID_ENUM,
    Refusal.UNKNOWN_ATTRIBUTE,
    Refusal.AMOUNT_NOT_POSITIVE,
    Refusal.AMOUNT_OUT_OF_RANGE,
    Refusal.CONFLICTING_ATTRIBUTES,
    Mishap.NOT_JSON,
    Mishap.NOT_AN_OBJECT,
    Mishap.BAD_REQUEST,
)
_OF_THE_ITEM = {
    "requestId",
    "user",
    "account",
    "chargeableEventRefId",
    "reversalOf",
    "expectedVersion",
}
_REPLAYED = "`true` where the batch was there before."
_ID = parameter("batch_id", "path", "The batchId, a GUID.", required=True, example=BATCH_ID)
_ABSENT = problem("No such batch was ever taken.", Mishap.NOT_FOUND, **KNOWN)
_FOLLOWED = {
    name: {
        "operationId": name,
        "description": said,
        "parameters": {"path.batch_id": "$response.body#/batchId"},
    }
    for name, said in {
        "getAdjustmentBatch": "How far it is.",
        "getAdjustmentBatchItems": "What its items came to so far.",
        "watchAdjustmentBatch": "How far it is, as a stream that ends with it.",
    }.items()
}

BATCH: dict[str, Any] = {
    "summary": "Adjust all chargeable events of a filter or a list; or see what that comes to",
    "tags": ["batches"],
    "operation_id": "adjustBatch",
    "status_code": 202,
    "responses": {
        200: answer("With `dryRun`: what the batch would come to.", body("DryRun"), **KNOWN),
        202: {
            **answer(
                "Taken: how far it is.",
                body("AdjustmentBatch"),
                Location="Where it is followed.",
                Retry_After="Seconds until it makes sense to look.",
                Idempotent_Replayed=_REPLAYED,
            ),
            "links": _FOLLOWED,
        },
        400: problem("Malformed; all faults are named at once, by row in a file.", *_MALFORMED),
        413: problem("The body has more than 4 MiB.", Mishap.REQUEST_TOO_LARGE),
        422: problem("The batchId is another batch's.", Refusal.REQUEST_ID_REUSED),
        503: problem(
            "Kafka cannot be reached, or has not been read to its end, or as many dry runs as can "
            "be at once are under way; nothing was sent.",
            Mishap.SERVICE_UNAVAILABLE,
            Retry_After="Seconds.",
        ),
        504: problem(
            "Outcome unknown: send it again with the same batchId.",
            Mishap.GATEWAY_TIMEOUT,
            Retry_After="Seconds.",
        ),
    },
    "openapi_extra": {
        "parameters": [
            parameter(
                "Idempotency-Key",
                "header",
                "The batchId; stands in for one that is missing.",
                example=BATCH_ID,
            )
        ],
        "requestBody": {
            "required": True,
            "content": {
                **body("BatchRequest", examples=["BatchOfPeriod", "BatchOfList"]),
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["batch", "items"],
                        "properties": {
                            "batch": {"type": "string", "description": "JSON without `items`."},
                            "items": {
                                "type": "string",
                                "contentMediaType": "text/csv",
                                "description": "Columns `account` and `chargeableEventRefId`.",
                            },
                        },
                    }
                },
            },
        },
    },
}
BATCHES: dict[str, Any] = {
    "summary": "All batches, newest first",
    "tags": ["batches"],
    "operation_id": "searchAdjustmentBatches",
    "responses": {200: page_of("AdjustmentBatchPage"), 400: BAD_PARAMETERS},
    "openapi_extra": {"parameters": parameters_of(PAGING)},
}
REPORT: dict[str, Any] = {
    "summary": "How far a batch is",
    "tags": ["batches"],
    "operation_id": "getAdjustmentBatch",
    "responses": {
        200: answer("The report.", body("AdjustmentBatch"), **KNOWN),
        404: _ABSENT,
        503: UNSURE,
    },
    "openapi_extra": {"parameters": [_ID]},
}
ITEMS: dict[str, Any] = {
    "summary": "The results of a batch's items so far, in the order of its selection",
    "tags": ["batches"],
    "operation_id": "getAdjustmentBatchItems",
    "responses": {
        200: page_of("ResultPage"),
        400: BAD_PARAMETERS,
        404: _ABSENT,
        503: UNSURE,
    },
    "openapi_extra": {"parameters": [_ID, *parameters_of({**OF_BATCH_ITEMS, **PAGING})]},
}
FOLLOW: dict[str, Any] = {
    "summary": "The same as server-sent events, until the batch is finished",
    "tags": ["batches"],
    "operation_id": "watchAdjustmentBatch",
    "response_class": StreamingResponse,
    "responses": {
        200: answer(
            "`progress` with each change, at last `finished`; the data is the report and the "
            "`secondsLeft` by the rate since the stream began.",
            {
                "text/event-stream": {
                    "schema": {
                        "type": "object",
                        "required": ["event", "data"],
                        "properties": {
                            "event": {"enum": ["progress", "finished"]},
                            "data": {"type": "string", "contentMediaType": "application/json"},
                        },
                    }
                }
            },
            Cache_Control="`no-store`.",
            **KNOWN,
        ),
        404: _ABSENT,
        503: UNSURE,
    },
    "openapi_extra": {"parameters": [_ID]},
}


def batch_schemas(request: dict[str, Any]) -> dict[str, Any]:
    """Give the schemas of batches; the adjustment's attributes are those of a request."""
    count = {"type": "integer", "minimum": 0}
    moment = {"type": "string", "description": "UTC."}
    report = {
        "batchId": {"type": "string", "pattern": f"^{GUID_PATTERN}$"},
        "user": {"type": "string"},
        "dryRun": {"type": "boolean"},
        "state": {"enum": ["RUNNING", "FINISHED"]},
        "matched": {**count, "description": "Items; 0 until the selection is fixed."},
        "pending": {**count, "description": "Items without a result yet."},
        "applied": count,
        "refused": count,
        "effect": {"$ref": REF + "Amounts"},
        "refusals": {
            "type": "object",
            "additionalProperties": count,
            "description": "How many items were refused, by code.",
        },
        "requestedAt": moment,
        "finishedAt": {"anyOf": [moment, {"type": "null"}]},
    }
    result = {"$ref": REF + "AdjustmentResult"}
    return {
        "BatchRequest": _request(request),
        "AdjustmentBatch": _object("How far a batch is.", report),
        "AdjustmentBatchPage": page_schema("AdjustmentBatch", {"$ref": REF + "AdjustmentBatch"}),
        "ResultPage": page_schema("Result", result),
        "DryRun": _object(
            "What a batch would come to, and the results of its first 100 items.",
            {**report, "items": {"type": "array", "items": result, "maxItems": 100}},
        ),
    }


def _request(request: dict[str, Any]) -> dict[str, Any]:
    adjustment = {k: v for k, v in request["properties"].items() if k not in _OF_THE_ITEM}
    ref_id = {"type": "string", "pattern": f"^{REF_ID_PATTERN}$"}
    item = _object(
        "A chargeable event.",
        {"account": _object("Its account.", {"refId": ref_id}), "chargeableEventRefId": ref_id},
    )
    filters = {name: dict(parameter.schema) for name, parameter in FILTERS.items()}
    properties = {
        "batchId": {"type": "string", "pattern": f"^{GUID_PATTERN}$"},
        "user": {"type": "string", "minLength": 1, "maxLength": USER_MAX},
        "dryRun": {"type": "boolean", "description": "Only see what it comes to; false if absent."},
        "filter": {
            "type": "object",
            "description": "Events of the adjustment's currency that fit all of this, `from` "
            "included, `to` not.",
            "properties": filters,
            "minProperties": 1,
            "additionalProperties": False,
        },
        "items": {
            "type": "array",
            "items": item,
            "minItems": 1,
            "maxItems": ITEMS_MAX,
            "description": "These events; instead of a filter.",
        },
        "adjustment": {
            "type": "object",
            "description": "How each is adjusted, as a request says it.",
            "required": ["currency"],
            "properties": {
                **adjustment,
                "currency": {"type": "string", "pattern": f"^{CURRENCY_PATTERN}$"},
            },
            "additionalProperties": False,
        },
    }
    made = _object("Which chargeable events are adjusted, and how.", properties)
    made["required"] = ["user", "adjustment"]
    made["oneOf"] = [{"required": ["filter"]}, {"required": ["items"]}]
    return made


def _object(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def batch_examples() -> dict[str, Any]:
    """Give an example of each body."""
    applied = examples_of("adjustment-result")["applied credit"]
    adjustment = {
        "adjustmentMode": "PERCENT",
        "chargeType": "CREDIT",
        "percent": 1000,
        "currency": "EUR",
        "taxIncluded": True,
        "reason": "INCORRECT_METERING",
        "comment": "metered twice in November",
    }
    asked = {"batchId": BATCH_ID, "user": "fin:omar"}
    item = {"account": {"refId": _ACCOUNT}, "chargeableEventRefId": _EVENT}
    period = {
        "from": "2026-11-01T00:00:00Z",
        "to": "2026-12-01T00:00:00Z",
        "usageType": "DATA_ROAMING",
    }
    report = {
        **asked,
        "dryRun": False,
        "state": "FINISHED",
        "matched": 1200,
        "pending": 0,
        "applied": 1193,
        "refused": 7,
        "effect": {
            "taxExcludedAmount": -985950078,
            "taxAmount": -207049922,
            "taxIncludedAmount": -1193000000,
        },
        "refusals": {"BILLING_IN_PROGRESS": 2, "CREDIT_EXCEEDS_REMAINING": 5},
        "requestedAt": "2026-11-05T10:00:00.000Z",
        "finishedAt": "2026-11-05T10:00:01.480Z",
    }
    shown = {
        "BatchOfPeriod": {**asked, "dryRun": True, "filter": period, "adjustment": adjustment},
        "BatchOfList": {**asked, "items": [item], "adjustment": adjustment},
        "AdjustmentBatch": report,
        "DryRun": {**report, "dryRun": True, "items": [applied]},
        "AdjustmentBatchPage": {"items": [report], "next": None},
        "ResultPage": {"items": [applied], "next": None},
    }
    return {name: {"value": value} for name, value in shown.items()}

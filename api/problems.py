"""Refusals and mishaps over HTTP: which status each code has, and its document (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from schemas.refusals import Refusal

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "1"}  # seconds


class Mishap(StrEnum):
    """What REST itself answers where no rule of the ladder was reached."""

    BAD_REQUEST = "BAD_REQUEST"
    NOT_JSON = "NOT_JSON"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    GATEWAY_TIMEOUT = "GATEWAY_TIMEOUT"


@dataclass(frozen=True)
class Explanation:
    """What a code means to who gets it."""

    status: int
    title: str
    text: str


_REFUSAL_STATUS = {
    Refusal.MISSING_ATTRIBUTE: HTTPStatus.BAD_REQUEST,
    Refusal.INVALID_TYPE: HTTPStatus.BAD_REQUEST,
    Refusal.INVALID_FORMAT: HTTPStatus.BAD_REQUEST,
    Refusal.INVALID_ENUM: HTTPStatus.BAD_REQUEST,
    Refusal.UNKNOWN_ATTRIBUTE: HTTPStatus.BAD_REQUEST,
    Refusal.AMOUNT_NOT_POSITIVE: HTTPStatus.BAD_REQUEST,
    Refusal.AMOUNT_OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    Refusal.CONFLICTING_ATTRIBUTES: HTTPStatus.BAD_REQUEST,
    Refusal.REQUEST_ID_REUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.ACCOUNT_NOT_FOUND: HTTPStatus.NOT_FOUND,
    Refusal.ACCOUNT_STATE_INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.BILLING_IN_PROGRESS: HTTPStatus.CONFLICT,
    Refusal.CHARGEABLE_EVENT_NOT_FOUND: HTTPStatus.NOT_FOUND,
    Refusal.VERSION_CONFLICT: HTTPStatus.CONFLICT,
    Refusal.CURRENCY_MISMATCH: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.REASON_NOT_CONFIGURED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.REASON_NOT_APPLICABLE: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.COMMENT_REQUIRED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.ADJUSTMENT_NOT_FOUND: HTTPStatus.NOT_FOUND,
    Refusal.ALREADY_REVERSED: HTTPStatus.CONFLICT,
    Refusal.NOT_REVERSIBLE: HTTPStatus.CONFLICT,
    Refusal.NOTHING_TO_ADJUST: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.CREDIT_EXCEEDS_REMAINING: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.SUM_OUT_OF_RANGE: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refusal.AMBIGUOUS_ID: HTTPStatus.CONFLICT,
}

_MISHAPS: dict[str, Explanation] = {
    Mishap.BAD_REQUEST: Explanation(
        400, "Request not understood", "The HTTP request itself is not well formed."
    ),
    Mishap.NOT_JSON: Explanation(
        400,
        "Not JSON",
        "The body is not one JSON text in UTF-8. NaN, a lone surrogate and an attribute given "
        "twice are not JSON here either.",
    ),
    Mishap.NOT_AN_OBJECT: Explanation(
        400, "Not an object", "The body is JSON, but not an object with the request's attributes."
    ),
    Mishap.NOT_FOUND: Explanation(
        404,
        "Not found",
        "There is nothing at this address. A requestId that is not found was never received: "
        "all that the topics held at the time of the question was looked at.",
    ),
    Mishap.METHOD_NOT_ALLOWED: Explanation(
        405, "Method not allowed", "This address takes the methods in the `Allow` header only."
    ),
    Mishap.REQUEST_TOO_LARGE: Explanation(
        413, "Request too large", "A request has at most 1 MiB, the most that its topic takes."
    ),
    Mishap.INTERNAL_ERROR: Explanation(
        500,
        "Internal error",
        "A fault of ours. Whether a request was taken is unknown: send it again with the same "
        "requestId, which adjusts nothing twice.",
    ),
    Mishap.SERVICE_UNAVAILABLE: Explanation(
        503,
        "Service unavailable",
        "Kafka cannot be reached, or has not been read to its end, or others ask for as much as "
        "can be done at once. Nothing was sent and nothing is kept for later: send the request "
        "again after the seconds in `Retry-After`.",
    ),
    Mishap.GATEWAY_TIMEOUT: Explanation(
        504,
        "No acknowledgement",
        "Kafka did not say in 5 seconds that it has the request: it may have it or not. Send it "
        "again with the same requestId, which adjusts nothing twice.",
    ),
}


EXPLANATIONS: dict[str, Explanation] = {
    **{
        refusal: Explanation(status, refusal.headline, refusal.explanation)
        for refusal, status in _REFUSAL_STATUS.items()
    },
    **_MISHAPS,
}
"""Each code that a problem may have, the ladder's first."""


def type_of(code: str) -> str:
    """Give the address of the page that explains a code."""
    return f"/problems/{code.lower().replace('_', '-')}"


def problem(
    code: str,
    detail: str,
    *,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
    **fields: Any,
) -> Response:
    """Answer with a problem document."""
    explanation = EXPLANATIONS[code]
    document = {
        "type": type_of(code),
        "title": explanation.title,
        "status": explanation.status,
        "detail": detail,
        **({"instance": instance} if instance else {}),
        "code": code,
        **fields,
    }
    return Response(msgspec.json.encode(document), explanation.status, headers, MEDIA_TYPE)


def unavailable(detail: str) -> Response:
    """Answer that this cannot be said or done now, but may be soon."""
    return problem(Mishap.SERVICE_UNAVAILABLE, detail, headers=RETRY_AFTER)


def refusal_problem(
    result: Mapping[str, Any], instance: str, headers: Mapping[str, str]
) -> Response:
    """Answer with a refused result as a problem."""
    errors = result["errors"]
    return problem(
        errors[0]["code"],
        " ".join(error["message"] for error in errors),
        instance=instance,
        headers=headers,
        requestId=result["requestId"],
        account=result["account"],
        chargeableEventRefId=result["chargeableEventRefId"],
        errors=errors,
        remaining=result["remaining"],
        chargeableEvent=result["chargeableEvent"],
        requestedAt=result["requestedAt"],
    )

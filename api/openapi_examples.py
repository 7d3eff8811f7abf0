"""The examples in the description of REST: of what is sent, and of each answer, problems too."""

from typing import Any

import msgspec

from api.problems import EXPLANATIONS, Explanation, Mishap, type_of
from schemas.messages import examples_of
from schemas.reasons import REASONS, ReasonList

REQUEST_ID = "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10"
ACCOUNT = "ACC-1001"
_RECEIVED: dict[str, Any] = {
    "requestId": REQUEST_ID,
    "account": {"refId": ACCOUNT},
    "chargeableEventRefId": "CE-500001",
    "status": "RECEIVED",
    "adjustment": None,
    "chargeableEvent": None,
    "errors": [],
    "remaining": None,
    "requestedAt": "2026-11-05T09:30:00.123Z",
}


def all_examples() -> dict[str, Any]:
    """Give each example by its name, as OpenAPI wants it; problems are named by their codes."""
    results = examples_of("adjustment-result")
    refused = _refused(results["credit above what remains"])
    shown = {
        **{name_of(shows): it for shows, it in examples_of("adjustment-request").items()},
        "AdjustmentReceived": _RECEIVED,
        "AdjustmentResult": results["applied credit"],
        "ReasonList": msgspec.to_builtins(ReasonList(items=tuple(REASONS.values()), next=None)),
        **{code: _problem(code, explained) for code, explained in EXPLANATIONS.items()},
        refused["code"]: refused,
    }
    del shown[Mishap.METHOD_NOT_ALLOWED]  # whose methods are no operations
    return {name: {"value": value} for name, value in shown.items()}


def name_of(shows: str) -> str:
    """Give the name of a request's example by what it shows."""
    return shows.replace(" ", "-")


def request_examples() -> list[str]:
    """Give the names of all examples of a request."""
    return [name_of(shows) for shows in examples_of("adjustment-request")]


def _problem(code: str, explained: Explanation) -> dict[str, Any]:
    return {
        "type": type_of(code),
        "title": explained.title,
        "status": explained.status,
        "detail": explained.text,
        "code": code,
    }


def _refused(result: dict[str, Any]) -> dict[str, Any]:
    """Give the problem that a refused result is answered with."""
    fault = result["errors"][0]
    named = {name: value for name, value in result.items() if name not in {"status", "adjustment"}}
    return {
        **_problem(fault["code"], EXPLANATIONS[fault["code"]]),
        "detail": fault["message"],
        "instance": f"/v1/adjustments/{result['requestId']}",
        **named,
    }

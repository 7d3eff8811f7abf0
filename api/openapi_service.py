"""The description of what operators and developers ask, and of the reasons."""

from typing import Any

from starlette.responses import Response

from api.openapi_parts import NOT_YET, answer, body, parameter, problem
from api.problems import Mishap

REASONS: dict[str, Any] = {
    "summary": "The reasons that a request may give",
    "tags": ["reasons"],
    "operation_id": "listReasons",
    "responses": {
        200: answer(
            "All of them, on one page.",
            body("ReasonList"),
            Cache_Control="How long the list may be kept.",
        ),
    },
}


def _plain(summary: str, operation_id: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "summary": summary,
        "operation_id": operation_id,
        "tags": ["service"],
        "response_class": Response,  # else FastAPI adds that it may be JSON
        "responses": {200: answer(summary + ".", content), **more.pop("responses", {})},
        "openapi_extra": more,
    }


def _object(example: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": {"type": "object"}, "example": example}}


def _text(media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": {"type": "string"}}}


LIVE = _plain("Whether the process serves", "getLiveness", _object({"status": "live"}))
READY = _plain(
    "Whether what is known reaches the ends that the topics had at start, and its lag in records",
    "getReadiness",
    _object({"status": "ready", "lag": 0}),
    responses={503: NOT_YET},
)
METRICS = _plain("Counters for Prometheus", "getMetrics", _text("text/plain"))
ASYNCAPI = _plain(
    "The description of the topics, AsyncAPI 3",
    "getAsyncApi",
    _object({"asyncapi": "3.0.0", "info": {"title": "Adjust", "version": "1"}}),
)
SCHEMA = _plain(
    "The JSON Schema of one message",
    "getSchema",
    _object({"title": "AdjustmentRequest", "type": "object"}),
    responses={404: problem("No such schema.", Mishap.NOT_FOUND)},
    parameters=[
        parameter(
            "name", "path", "Name of the message.", required=True, example="adjustment-request"
        )
    ],
)
PROBLEM_PAGE = _plain(
    "The page that explains a code",
    "getProblem",
    _text("text/html"),
    responses={404: problem("No such code.", Mishap.NOT_FOUND)},
    parameters=[
        parameter(
            "name", "path", "The code in kebab case.", required=True, example="version-conflict"
        )
    ],
)

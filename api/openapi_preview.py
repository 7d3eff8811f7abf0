"""The description of preview: it asks what a request asks."""

from typing import Any

from api.openapi import ADJUST
from api.openapi_parts import KNOWN, answer, body, problem
from api.problems import Mishap
from schemas.refusals import Refusal

_ASKED, _ANSWERS = ADJUST["openapi_extra"], ADJUST["responses"]

PREVIEW: dict[str, Any] = {
    "summary": "What a request would come to; nothing is published",
    "tags": ADJUST["tags"],
    "operation_id": "previewAdjustment",
    "responses": {
        200: answer(
            "The result as it would be, APPLIED or REFUSED, its requestedAt null; of a repeat the "
            "first result.",
            body("AdjustmentResult"),
            Idempotent_Replayed="`true` where the request was answered before.",
            **KNOWN,
        ),
        400: _ANSWERS[400],
        404: problem(
            "No account is named, and none has the event.", Refusal.CHARGEABLE_EVENT_NOT_FOUND
        ),
        409: problem("No account is named, and several have the event.", Refusal.AMBIGUOUS_ID),
        413: _ANSWERS[413],
        503: problem(
            "Something is missing, and the topics have not been read to their ends; or an earlier "
            "request of the same id is not decided yet.",
            Mishap.SERVICE_UNAVAILABLE,
            Retry_After="Seconds.",
        ),
    },
    "openapi_extra": {
        "parameters": [each for each in _ASKED["parameters"] if each["name"] == "Idempotency-Key"],
        "requestBody": _ASKED["requestBody"],
    },
}

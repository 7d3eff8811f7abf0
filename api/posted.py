"""A posted request from its body to a submission, or to the problem that it has."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.problems import Mishap, problem, refusal_problem
from api.submission import Rejection, Submission, judge

BODY_BYTES_MAX = 1024 * 1024
DRAINED_BYTES_MAX = 16 * BODY_BYTES_MAX


async def submission_of(request: Request) -> Submission | Response:
    """Read and judge what was posted."""
    body = await body_of(request)
    if body is None:
        return problem(Mishap.REQUEST_TOO_LARGE, f"The body has more than {BODY_BYTES_MAX} bytes.")
    judged = judge(body, idempotency_key(request))
    return _rejected(judged, request.url.path) if isinstance(judged, Rejection) else judged


async def body_of(request: Request, most: int = BODY_BYTES_MAX) -> bytes | None:
    """Give the body; None if it is too large.

    The rest of a body that is too large is read and dropped within reason: a client that is cut
    off while it writes often does not read its answer.
    """
    kept, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= most:
            kept += part
        elif size > DRAINED_BYTES_MAX:
            break
    return bytes(kept) if size <= most else None


def idempotency_key(request: Request) -> str | None:
    """Give the key that a caller sent, without the quotation marks that it may have."""
    key: str | None = request.headers.get("idempotency-key")
    return key.strip().strip('"') or None if key else None


def _rejected(rejection: Rejection, path: str) -> Response:
    if rejection.mishap is not None:
        return problem(rejection.mishap, rejection.detail, instance=path)
    return refusal_problem(
        {
            "requestId": rejection.request_id,
            "account": None if rejection.account is None else {"refId": rejection.account},
            "chargeableEventRefId": rejection.chargeable_event_ref_id,
            "errors": msgspec.to_builtins(rejection.faults),
            "remaining": None,
            "chargeableEvent": None,
            "requestedAt": None,
        },
        path,
        {},
    )

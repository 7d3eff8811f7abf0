"""Ask for an adjustment, and what has become of one."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
from aiokafka.structs import RecordMetadata
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api import openapi
from api.desk import Desk
from api.errors import (
    KafkaUnreachableError,
    NotAcknowledgedError,
    NotCaughtUpError,
    RequestTooLargeError,
)
from api.lookups import Standing
from api.preferences import wait_asked
from api.problems import Mishap, problem, refusal_problem
from api.records import canonical_id, utc_text
from api.results import Answer
from api.rows import Received
from api.submission import Rejection, Submission, judge
from schemas.refusals import Refusal

PATH = "/v1/adjustments"
ALIAS = "/v1/rm/billing-invoicing/adjust-chargeable-event"
BODY_MAX = 1024 * 1024
DRAINED_MAX = 16 * BODY_MAX
POST_WAIT_S = 2.0
CATCH_UP_S = 2.0
KEEP_ALIVE_S = 15.0
RETRY_AFTER = {"Retry-After": "1"}
TRACEPARENT_MAX = 256

router = APIRouter()


class Sent(NamedTuple):
    """Where a request stands on its topic, and what will be its answer."""

    placed: RecordMetadata
    answer: asyncio.Future[Answer]


@router.post(PATH, **openapi.ADJUST)
@router.post(ALIAS, **openapi.ADJUST_ALIAS)
async def adjust(request: Request) -> Response:
    """Take a request, put it on its topic, and answer with the result if it comes in time."""
    body = await _body_of(request)
    if body is None:
        return problem(Mishap.REQUEST_TOO_LARGE, f"The body has more than {BODY_MAX} bytes.")
    submission = judge(body, _idempotency_key(request))
    if isinstance(submission, Rejection):
        return _rejected(submission, request.url.path)
    desk: Desk = request.app.state.desk
    sent = await _send(desk, submission, _traceparent(request))
    if isinstance(sent, Response):
        return sent
    began = time.perf_counter()
    try:
        async with asyncio.timeout(wait_asked(request.headers.getlist("prefer"), POST_WAIT_S)):
            answer = await sent.answer
    except TimeoutError:
        return _accepted(submission, sent.placed)
    desk.metrics.answer_s.observe(time.perf_counter() - began)
    return _answered(submission, answer)


@router.get(PATH + "/{request_id}", **openapi.STANDING)
async def standing_of(request: Request) -> Response:
    """Say how a request stands; with `Prefer: wait`, wait for the result."""
    desk: Desk = request.app.state.desk
    request_id, account = _asked(request)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_asked(request.headers.getlist("prefer"), 0.0)
    with desk.waiters.watching(request_id) as happened:
        found = await _find(desk, request_id, account)
        while isinstance(found, Standing) and found.value is None and loop.time() < until:
            await _wait(happened, until - loop.time())
            found = await _find(desk, request_id, account)
    if isinstance(found, Response):
        return found
    return Response(_document(found), media_type="application/json")


@router.get(PATH + "/{request_id}/events", **openapi.EVENTS)
async def events_of(request: Request) -> Response:
    """Stream how a request stands, until it is decided."""
    desk: Desk = request.app.state.desk
    request_id, account = _asked(request)
    found = await _find(desk, request_id, account)
    if isinstance(found, Response):
        return found
    stream = _events(desk, found)
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _send(desk: Desk, submission: Submission, traceparent: bytes | None) -> Sent | Response:
    """Put a request on its topic and claim its answer, or say why that was not possible."""
    began = time.perf_counter()
    try:
        with desk.waiters.sending():
            placed = await desk.ingress.publish(submission.account, submission.value, traceparent)
            answer = desk.waiters.claim(f"{placed.topic}-{placed.partition}-{placed.offset}")
    except KafkaUnreachableError:
        return _unavailable("Kafka cannot be reached. Nothing was sent.")
    except NotAcknowledgedError:
        return _unacknowledged(submission)
    except RequestTooLargeError:
        return problem(Mishap.REQUEST_TOO_LARGE, "Kafka does not take a request of this size.")
    desk.metrics.acknowledge_s.observe(time.perf_counter() - began)
    return Sent(placed, answer)


async def _events(desk: Desk, found: Standing) -> AsyncIterator[bytes]:
    with desk.waiters.watching(found.request_id) as happened:
        if found.value is None:
            yield _event("received", _document(found))
        while True:
            standings = await asyncio.to_thread(
                desk.lookups.standings, found.request_id, found.account
            )
            if standings and standings[0].value is not None:
                yield _event("decided", standings[0].value)
                return
            if not await _wait(happened, KEEP_ALIVE_S):
                yield b": still undecided\n\n"


def _event(name: str, data: bytes) -> bytes:
    lines = b"".join(b"data: %b\n" % line for line in data.splitlines())
    return b"event: %b\n%b\n" % (name.encode(), lines)


async def _wait(happened: asyncio.Event, limit_s: float) -> bool:
    """Wait for a result to be kept; false if there was none in time."""
    try:
        async with asyncio.timeout(limit_s):
            await happened.wait()
    except TimeoutError:
        return False
    happened.clear()
    return True


async def _find(desk: Desk, request_id: str, account: str | None) -> Standing | Response:
    """Give the one request that is meant, or the problem why there is none."""
    standings = await asyncio.to_thread(desk.lookups.standings, request_id, account)
    if not standings:
        try:
            await desk.reader.catch_up(CATCH_UP_S)
        except NotCaughtUpError:
            return _unavailable("The topics have not been read to their ends.")
        standings = await asyncio.to_thread(desk.lookups.standings, request_id, account)
    if not standings:
        where = "" if account is None else f" for account {account}"
        return problem(Mishap.NOT_FOUND, f"No request {request_id} was received{where}.")
    if len(standings) > 1:
        names = ", ".join(standing.account for standing in standings[:10])
        return problem(
            Refusal.AMBIGUOUS_ID,
            f"{len(standings)} accounts used {request_id}: {names}. Name one with ?account=.",
        )
    return standings[0]


def _document(standing: Standing) -> bytes:
    if standing.value is not None:
        return standing.value
    assert standing.received is not None, "it stands by its record or its result"
    return _received_document(standing.received)


def _received_document(received: Received) -> bytes:
    return msgspec.json.encode(
        {
            "requestId": received.request_id,
            "account": {"refId": received.account},
            "chargeableEventRefId": received.chargeable_event_ref_id,
            "status": "RECEIVED",
            "adjustment": None,
            "chargeableEvent": None,
            "errors": [],
            "remaining": None,
            "requestedAt": received.requested_at,
        }
    )


def _answered(submission: Submission, answer: Answer) -> Response:
    headers = {"Idempotent-Replayed": "true"} if answer.is_replay else {}
    result: Mapping[str, Any] = msgspec.json.decode(answer.value)
    if result["status"] == "REFUSED":
        return refusal_problem(result, f"{PATH}/{submission.request_id}", headers)
    headers["Location"] = _location(submission)
    return Response(answer.value, 201, headers, "application/json")


def _accepted(submission: Submission, placed: RecordMetadata) -> Response:
    received = Received(
        account=submission.account,
        request_id=submission.request_id,
        topic_offset=placed.offset,
        chargeable_event_ref_id=submission.chargeable_event_ref_id,
        user=None,
        requested_at=utc_text(placed.timestamp),
        asked=None,
    )
    headers = {"Location": _location(submission), **RETRY_AFTER}
    return Response(_received_document(received), 202, headers, "application/json")


def _rejected(rejection: Rejection, path: str) -> Response:
    if rejection.mishap is not None:
        return problem(rejection.mishap, rejection.detail, instance=path)
    return refusal_problem(
        {
            "requestId": rejection.request_id,
            "account": rejection.account and {"refId": rejection.account},
            "chargeableEventRefId": rejection.chargeable_event_ref_id,
            "errors": msgspec.to_builtins(rejection.faults),
            "remaining": None,
            "chargeableEvent": None,
            "requestedAt": None,
        },
        path,
        {},
    )


def _unavailable(detail: str) -> Response:
    return problem(Mishap.SERVICE_UNAVAILABLE, detail, headers=RETRY_AFTER)


def _unacknowledged(submission: Submission) -> Response:
    return problem(
        Mishap.GATEWAY_TIMEOUT,
        "Kafka did not acknowledge the request in time; "
        "outcome: unknown, retry with the same requestId.",
        instance=f"{PATH}/{submission.request_id}",
        headers=RETRY_AFTER,
        requestId=submission.request_id,
        outcome="unknown, retry with the same requestId",
    )


def _location(submission: Submission) -> str:
    return f"{PATH}/{submission.request_id}?account={quote(submission.account)}"


def _asked(request: Request) -> tuple[str, str | None]:
    return canonical_id(request.path_params["request_id"]), request.query_params.get("account")


def _idempotency_key(request: Request) -> str | None:
    key: str | None = request.headers.get("idempotency-key")
    return key.strip().strip('"') or None if key else None


def _traceparent(request: Request) -> bytes | None:
    trace: str | None = request.headers.get("traceparent")
    return trace.encode() if trace and len(trace) <= TRACEPARENT_MAX else None


async def _body_of(request: Request) -> bytes | None:
    """Give the body; None if it is too large.

    The rest of a body that is too large is read and dropped within reason: a client that is cut
    off while it writes often does not read its answer.
    """
    kept, size = bytearray(), 0
    async for part in request.stream():
        size += len(part)
        if size <= BODY_MAX:
            kept += part
        elif size > DRAINED_MAX:
            break
    return bytes(kept) if size <= BODY_MAX else None

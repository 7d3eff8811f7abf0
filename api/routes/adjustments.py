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
from api.account_lookup import account_of
from api.desk import TOPICS, Desk
from api.documents import received_document
from api.errors import (
    KafkaUnreachableError,
    NotAcknowledgedError,
    RequestTooLargeError,
)
from api.filters import OWNER
from api.lag import lag_of
from api.looking_up import ambiguous, look_up
from api.lookups import Standing
from api.parameters import parameter_problem, read_parameters
from api.posted import submission_of
from api.preferences import wait_asked
from api.problems import RETRY_AFTER, Mishap, problem, refusal_problem, unavailable
from api.reading_after import POSITION
from api.records import canonical_id, utc_text
from api.results import Answer
from api.rows import Received
from api.submission import Submission
from schemas.adjustment import AdjustmentRequest

PATH = "/v1/adjustments"
ALIAS = "/v1/rm/billing-invoicing/adjust-chargeable-event"
POST_WAIT_S = 2.0
KEEP_ALIVE_S = 15.0
TRACEPARENT_MAX = 256

router = APIRouter()


class Sent(NamedTuple):
    """Where a request stands on its topic, and what will be its answer."""

    placed: RecordMetadata
    answer: asyncio.Future[Answer]


class Asked(NamedTuple):
    """Which request is meant."""

    request_id: str
    account: str | None


@router.post(PATH, **openapi.ADJUST)
@router.post(ALIAS, **openapi.ADJUST_ALIAS)
async def adjust(request: Request) -> Response:
    """Take a request, put it on its topic, and answer with the result if it comes in time."""
    submission = await submission_of(request)
    if isinstance(submission, Response):
        return submission
    desk: Desk = request.app.state.desk
    account = await account_of(desk, submission.request, request.url.path)
    if isinstance(account, Response):
        return account
    sent = await _send(desk, account, submission, _traceparent(request))
    if isinstance(sent, Response):
        return sent
    began = time.perf_counter()
    try:
        async with asyncio.timeout(wait_asked(request.headers.getlist("prefer"), POST_WAIT_S)):
            answer = await sent.answer
    except TimeoutError:
        return _accepted(account, submission.request, sent.placed)
    desk.metrics.answer_s.observe(time.perf_counter() - began)
    return _answered(account, submission.request.request_id, answer)


@router.get(PATH + "/{request_id}", **openapi.STANDING)
async def standing_of(request: Request) -> Response:
    """Say how a request stands; with `Prefer: wait`, wait for the result."""
    desk: Desk = request.app.state.desk
    asked = _asked(request)
    if isinstance(asked, Response):
        return asked
    loop = asyncio.get_running_loop()
    until = loop.time() + wait_asked(request.headers.getlist("prefer"), 0.0)
    with desk.waiters.watching(asked.request_id) as happened:
        headers, found = lag_of(desk), await _find(desk, *asked)
        while isinstance(found, Standing) and found.value is None and loop.time() < until:
            await _wait(happened, until - loop.time())
            headers, found = lag_of(desk), await _find(desk, *asked)
    if isinstance(found, Response):
        found.headers.update(headers)
        return found
    return Response(_document(found), 200, headers, "application/json")


@router.get(PATH + "/{request_id}/events", **openapi.EVENTS)
async def events_of(request: Request) -> Response:
    """Stream how a request stands, until it is decided."""
    desk: Desk = request.app.state.desk
    asked = _asked(request)
    if isinstance(asked, Response):
        return asked
    headers, found = lag_of(desk), await _find(desk, *asked)
    if isinstance(found, Response):
        found.headers.update(headers)
        return found
    headers["Cache-Control"] = "no-store"
    stream = _events(desk, found)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _send(
    desk: Desk, account: str, submission: Submission, traceparent: bytes | None
) -> Sent | Response:
    """Put a request on its topic and claim its answer, or say why that was not possible."""
    began = time.perf_counter()
    try:
        with desk.waiters.sending():
            placed = await desk.ingress.publish(account, submission.value, traceparent)
            answer = desk.waiters.claim(f"{placed.topic}-{placed.partition}-{placed.offset}")
    except KafkaUnreachableError:
        return unavailable("Kafka cannot be reached. Nothing was sent.")
    except NotAcknowledgedError:
        return _unacknowledged(submission.request.request_id)
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
    # No result is without its request.
    look = desk.lookups.standings
    standings = await look_up(desk, {TOPICS.requests}, look, request_id, account)
    if isinstance(standings, Response):
        return standings
    if not standings:
        where = "" if account is None else f" for account {account}"
        return problem(Mishap.NOT_FOUND, f"No request {request_id} was received{where}.")
    if len(standings) > 1:
        return ambiguous([standing.account for standing in standings], f"used {request_id}")
    return standings[0]


def _document(standing: Standing) -> bytes:
    if standing.value is not None:
        return standing.value
    return received_document(standing.received)


def _answered(account: str, request_id: str, answer: Answer) -> Response:
    headers = {POSITION: f"{answer.partition}-{answer.offset}"}
    if answer.is_replay:
        headers["Idempotent-Replayed"] = "true"
    result: Mapping[str, Any] = msgspec.json.decode(answer.value)
    if result["status"] == "REFUSED":
        return refusal_problem(result, f"{PATH}/{request_id}", headers)
    headers["Location"] = _location(account, request_id)
    return Response(answer.value, 201, headers, "application/json")


def _accepted(account: str, asked: AdjustmentRequest, placed: RecordMetadata) -> Response:
    received = Received(
        account=account,
        request_id=asked.request_id,
        topic_offset=placed.offset,
        chargeable_event_ref_id=asked.chargeable_event_ref_id,
        user=None,
        requested_at=utc_text(placed.timestamp),
        asked=None,
    )
    headers = {"Location": _location(account, asked.request_id), **RETRY_AFTER}
    return Response(received_document(received), 202, headers, "application/json")


def _unacknowledged(request_id: str) -> Response:
    return problem(
        Mishap.GATEWAY_TIMEOUT,
        "Kafka did not acknowledge the request in time; "
        "outcome: unknown, retry with the same requestId.",
        instance=f"{PATH}/{request_id}",
        headers=RETRY_AFTER,
        requestId=request_id,
        outcome="unknown, retry with the same requestId",
    )


def _location(account: str, request_id: str) -> str:
    return f"{PATH}/{request_id}?account={quote(account)}"


def _asked(request: Request) -> Asked | Response:
    values = read_parameters(request.scope["query_string"], OWNER)
    if not isinstance(values, dict):
        return parameter_problem(values)
    return Asked(canonical_id(request.path_params["request_id"]), values.get("account"))


def _traceparent(request: Request) -> bytes | None:
    trace: str | None = request.headers.get("traceparent")
    return trace.encode() if trace and len(trace) <= TRACEPARENT_MAX else None

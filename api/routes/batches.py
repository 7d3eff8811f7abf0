"""Ask for a batch of adjustments, and how far one is."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api import openapi_batches
from api.batches.csv_items import read_items
from api.batches.dry_run import dry_run
from api.batches.log import definition_of
from api.batches.progress import progress_of
from api.batches.reports import Batch, ListKey
from api.batches.submission import BATCH_BYTES_MAX, BatchRejection, BatchSubmission, judge_batch
from api.batches.upload import UploadError, parts_of
from api.desk import CATCH_UP_S, TOPICS, Desk
from api.errors import (
    KafkaUnreachableError,
    NotAcknowledgedError,
    NotCaughtUpError,
    RequestTooLargeError,
)
from api.filters import OF_BATCH_ITEMS
from api.lag import lag_of
from api.looking_up import look_up
from api.pages import page_answer, page_asked
from api.posted import body_of, idempotency_key
from api.problems import RETRY_AFTER, Mishap, problem, unavailable
from api.records import canonical_id
from schemas.refusals import Refusal

PATH = "/v1/adjustment-batches"

router = APIRouter()


@router.post(PATH, **openapi_batches.BATCH)
async def post(request: Request) -> Response:
    """Take a batch, and answer with its report as soon as it is sure which batch has the id."""
    submission = await _submission_of(request)
    if isinstance(submission, Response):
        return submission
    desk: Desk = request.app.state.desk
    if submission.is_dry_run:
        return await _dry_run(desk, submission)
    earlier = await asyncio.to_thread(desk.batches.batch, submission.batch_id)
    known = earlier or await _define(desk, submission)
    if isinstance(known, Response):
        return known
    if known.content != definition_of(submission):
        return problem(
            Refusal.REQUEST_ID_REUSED,
            f"{submission.batch_id} is the batchId of another batch.",
            instance=_address(submission.batch_id),
            batchId=submission.batch_id,
        )
    headers = {"Location": _address(known.batch_id), **RETRY_AFTER}
    if earlier:
        headers["Idempotent-Replayed"] = "true"
    return _report(known, 202, headers)


@router.get(PATH, **openapi_batches.BATCHES)
async def search(request: Request) -> Response:
    """Give a page of batches, newest first."""
    asked = page_asked(request, {}, ListKey)
    if isinstance(asked, Response):
        return asked
    desk: Desk = request.app.state.desk
    headers = lag_of(desk)
    page = await asyncio.to_thread(desk.batches.newest, asked.limit, asked.after)
    return page_answer(request, asked, page, headers)


@router.get(PATH + "/{batch_id}", **openapi_batches.REPORT)
async def report_of(request: Request) -> Response:
    """Say how far a batch is."""
    desk: Desk = request.app.state.desk
    headers, batch = lag_of(desk), await _find(desk, request)
    return batch if isinstance(batch, Response) else _report(batch, 200, headers)


@router.get(PATH + "/{batch_id}/items", **openapi_batches.ITEMS)
async def items_of(request: Request) -> Response:
    """Give a page of the results of a batch's items, in the order of the selection."""
    asked = page_asked(request, OF_BATCH_ITEMS, int)
    if isinstance(asked, Response):
        return asked
    desk: Desk = request.app.state.desk
    headers, batch = lag_of(desk), await _find(desk, request)
    if isinstance(batch, Response):
        return batch
    status = asked.values.get("status")
    page = await asyncio.to_thread(desk.batches.items, batch, status, asked.limit, asked.after)
    return page_answer(request, asked, page, headers)


@router.get(PATH + "/{batch_id}/events", **openapi_batches.FOLLOW)
async def events_of(request: Request) -> Response:
    """Stream how far a batch is, until it is finished."""
    desk: Desk = request.app.state.desk
    headers, batch = lag_of(desk), await _find(desk, request)
    if isinstance(batch, Response):
        return batch
    headers["Cache-Control"] = "no-store"
    stream = progress_of(desk.batches, batch)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _submission_of(request: Request) -> BatchSubmission | Response:
    is_upload = request.headers.get("content-type", "").startswith("multipart/form-data")
    body, items = await body_of(request, BATCH_BYTES_MAX), None
    if body is None:
        return problem(Mishap.REQUEST_TOO_LARGE, f"The body has more than {BATCH_BYTES_MAX} bytes.")
    if is_upload:
        try:
            body, file = await parts_of(request.headers, body)
        except UploadError as error:
            return problem(Mishap.BAD_REQUEST, str(error), instance=PATH)
        read = await asyncio.to_thread(read_items, file)
        if isinstance(read, list):
            return _rejected(BatchRejection.of(read))
        items = read
    judged = await asyncio.to_thread(judge_batch, body, idempotency_key(request), items)
    return judged if isinstance(judged, BatchSubmission) else _rejected(judged)


def _rejected(rejection: BatchRejection) -> Response:
    code = rejection.mishap or rejection.faults[0].code
    errors: Any = msgspec.to_builtins(rejection.faults)
    return problem(code, rejection.detail, instance=PATH, errors=errors)


async def _dry_run(desk: Desk, submission: BatchSubmission) -> Response:
    async with AsyncExitStack() as turn:
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await turn.enter_async_context(desk.dry_runs)
            await desk.reader.catch_up(CATCH_UP_S, TOPICS)
        except TimeoutError:
            return unavailable("As many dry runs as can be at once are under way.")
        except NotCaughtUpError:
            return unavailable("The topics have not been read to their ends.")
        headers = lag_of(desk)
        report, items = await dry_run(submission, desk.batches, desk.lookups)
    document = report.document() | {"items": [msgspec.Raw(item) for item in items]}
    return Response(msgspec.json.encode(document), 200, headers, "application/json")


async def _define(desk: Desk, submission: BatchSubmission) -> Batch | Response:
    """Put the batch on its topic, and give what its id stands for from then on."""
    try:
        await desk.batch_log.publish(submission.batch_id, definition_of(submission), None)
        await desk.reader.catch_up(CATCH_UP_S, {TOPICS.batches})
    except KafkaUnreachableError:
        return unavailable("Kafka cannot be reached. Nothing was sent.")
    except RequestTooLargeError:
        return problem(Mishap.REQUEST_TOO_LARGE, "Kafka does not take a batch of this size.")
    except (NotAcknowledgedError, NotCaughtUpError):
        return problem(
            Mishap.GATEWAY_TIMEOUT,
            "Kafka did not confirm the batch in time; send it again with the same batchId.",
            instance=_address(submission.batch_id),
            headers=RETRY_AFTER,
            batchId=submission.batch_id,
        )
    batch = await asyncio.to_thread(desk.batches.batch, submission.batch_id)
    assert batch, "it was read back"
    return batch


async def _find(desk: Desk, request: Request) -> Batch | Response:
    batch_id = canonical_id(request.path_params["batch_id"])
    found = await look_up(desk, {TOPICS.batches}, desk.batches.report, batch_id)
    return found or problem(Mishap.NOT_FOUND, f"There is no batch {batch_id}.")


def _report(batch: Batch, status: int, headers: dict[str, str]) -> Response:
    body = msgspec.json.encode(batch.document())
    return Response(body, status, headers, "application/json")


def _address(batch_id: str) -> str:
    return f"{PATH}/{batch_id}"

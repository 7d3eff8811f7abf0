"""Say what a request would come to, and publish nothing."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import openapi_preview
from api.account_lookup import account_of
from api.desk import CATCH_UP_S, TOPICS, Desk
from api.errors import NotCaughtUpError
from api.lag import lag_of
from api.posted import submission_of
from api.preview import preview
from api.problems import unavailable
from api.reading_after import PREVIEW
from schemas.adjustment import AdjustmentRequest

_MISSING = (
    "Not all that the request names is known, and the topics have not been read to their ends."
)

router = APIRouter()


@router.post(PREVIEW, **openapi_preview.PREVIEW)
async def preview_of(request: Request) -> Response:
    """Decide on what is kept; where something is missing, on all that the topics hold."""
    submission = await submission_of(request)
    if isinstance(submission, Response):
        return submission
    desk: Desk = request.app.state.desk
    asked = submission.request
    account = await account_of(desk, asked, request.url.path)
    if isinstance(account, Response):
        return account
    headers = lag_of(desk)
    seen = await asyncio.to_thread(preview, desk.lookups, account, asked)
    if not seen.is_whole:
        try:
            await desk.reader.catch_up(CATCH_UP_S, TOPICS)
        except NotCaughtUpError:
            return unavailable(_undecided(account, asked) if seen.value is None else _MISSING)
        headers = lag_of(desk)
        seen = await asyncio.to_thread(preview, desk.lookups, account, asked)
    if seen.value is None:
        return unavailable(_undecided(account, asked))
    if seen.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return Response(seen.value, headers=headers, media_type="application/json")


def _undecided(account: str, asked: AdjustmentRequest) -> str:
    return (
        f"A request {asked.request_id} of account {account} is not decided yet, and this one "
        "may be its repeat."
    )

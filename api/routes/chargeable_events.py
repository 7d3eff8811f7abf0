"""Search chargeable events, look at one, and at what became of it."""

import asyncio

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import openapi_reads
from api.desk import TOPICS, Desk
from api.entity_tags import versioned
from api.event_filters import EventKey
from api.filters import OF_EVENTS, OWNER, event_filters
from api.lag import lag_of
from api.looking_up import ambiguous, look_up
from api.pages import Int64, page_answer, page_asked
from api.parameters import parameter_problem, read_parameters
from api.problems import problem
from schemas.refusals import Refusal

PATH = "/v1/chargeable-events"

router = APIRouter()


class _Seen(msgspec.Struct, rename="camel"):
    version: int
    current: msgspec.Raw


@router.get(PATH, **openapi_reads.EVENTS)
async def search(request: Request) -> Response:
    """Give a page of events, newest first."""
    asked = page_asked(request, OF_EVENTS, EventKey)
    if isinstance(asked, Response):
        return asked
    desk: Desk = request.app.state.desk
    headers, filters = lag_of(desk), event_filters(asked.values)
    page = await asyncio.to_thread(desk.searches.events, filters, asked.limit, asked.after)
    return page_answer(request, asked, page, headers)


@router.get(PATH + "/{ref_id}", **openapi_reads.EVENT)
async def event(request: Request) -> Response:
    """Give one event, and what may still be credited of it."""
    values = read_parameters(request.scope["query_string"], OWNER)
    if not isinstance(values, dict):
        return parameter_problem(values)
    desk: Desk = request.app.state.desk
    headers = lag_of(desk)
    found = await _find(desk, request.path_params["ref_id"], values.get("account"))
    if isinstance(found, Response):
        found.headers.update(headers)
        return found
    _, image = found
    seen = msgspec.json.decode(image, type=_Seen)
    body = image.rstrip()[:-1] + b',"remaining":%b}' % bytes(seen.current)
    return versioned(request, seen.version, body, headers)


@router.get(PATH + "/{ref_id}/history", **openapi_reads.HISTORY)
async def history(request: Request) -> Response:
    """Give a page of an event's adjustments, oldest first."""
    asked = page_asked(request, OWNER, Int64)
    if isinstance(asked, Response):
        return asked
    desk: Desk = request.app.state.desk
    headers = lag_of(desk)
    ref_id = request.path_params["ref_id"]
    found = await _find(desk, ref_id, asked.values.get("account"))
    if isinstance(found, Response):
        found.headers.update(headers)
        return found
    account, _ = found
    after = asked.after or 0
    page = await asyncio.to_thread(desk.searches.history, account, ref_id, asked.limit, after)
    return page_answer(request, asked, page, headers)


async def _find(desk: Desk, ref_id: str, account: str | None) -> tuple[str, bytes] | Response:
    """Give account and image of the one event that is meant, or the problem why there is none."""
    events = await look_up(desk, {TOPICS.transactions}, desk.lookups.events, ref_id, account)
    if isinstance(events, Response):
        return events
    if not events:
        whose = "" if account is None else f" on account {account}"
        message = f"There is no chargeable event {ref_id}{whose}."
        return problem(Refusal.CHARGEABLE_EVENT_NOT_FOUND, message)
    if len(events) > 1:
        return ambiguous([name for name, _ in events], f"have {ref_id}")
    return events[0]

"""Search requests, with what each came to."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import openapi_reads
from api.adjustment_search import RequestKey
from api.desk import Desk
from api.filters import OF_REQUESTS, request_filters
from api.lag import lag_of
from api.pages import page_answer, page_asked

router = APIRouter()


@router.get("/v1/adjustments", **openapi_reads.REQUESTS)
async def search(request: Request) -> Response:
    """Give a page of requests, newest first."""
    asked = page_asked(request, OF_REQUESTS, RequestKey)
    if isinstance(asked, Response):
        return asked
    desk: Desk = request.app.state.desk
    headers, filters = lag_of(desk), request_filters(asked.values)
    page = await asyncio.to_thread(desk.searches.requests, filters, asked.limit, asked.after)
    return page_answer(request, asked, page, headers)

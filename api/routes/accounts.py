"""Look at an account."""

import asyncio

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import openapi_reads
from api.desk import CATCH_UP_S, Desk
from api.entity_tags import versioned
from api.errors import NotCaughtUpError
from api.lag import lag_of
from api.parameters import parameter_problem, read_parameters
from api.problems import problem, unavailable
from schemas.refusals import Refusal

PATH = "/v1/accounts"

router = APIRouter()


class _Seen(msgspec.Struct):
    version: int


@router.get(PATH + "/{ref_id}", **openapi_reads.ACCOUNT)
async def account(request: Request) -> Response:
    """Give an account as it was published."""
    values = read_parameters(request.scope["query_string"], {})
    if not isinstance(values, dict):
        return parameter_problem(values)
    desk: Desk = request.app.state.desk
    headers, ref_id = lag_of(desk), request.path_params["ref_id"]
    image = await asyncio.to_thread(desk.lookups.account, ref_id)
    if image is None:
        try:
            await desk.reader.catch_up(CATCH_UP_S)
        except NotCaughtUpError:
            return unavailable("The topics have not been read to their ends.")
        image = await asyncio.to_thread(desk.lookups.account, ref_id)
    if image is None:
        message = f"There is no account {ref_id}."
        return problem(Refusal.ACCOUNT_NOT_FOUND, message, headers=headers)
    return versioned(request, msgspec.json.decode(image, type=_Seen).version, image, headers)

"""Look at an account."""

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import openapi_reads
from api.desk import TOPICS, Desk
from api.entity_tags import versioned
from api.lag import lag_of
from api.looking_up import look_up
from api.parameters import parameter_problem, read_parameters
from api.problems import problem
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
    image = await look_up(desk, {TOPICS.transactions}, desk.lookups.account, ref_id)
    if isinstance(image, Response):
        image.headers.update(headers)
        return image
    if image is None:
        message = f"There is no account {ref_id}."
        return problem(Refusal.ACCOUNT_NOT_FOUND, message, headers=headers)
    return versioned(request, msgspec.json.decode(image, type=_Seen).version, image, headers)

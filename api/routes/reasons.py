"""The reasons that a caller may give."""

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from api import openapi_service
from schemas.reasons import REASONS, ReasonList

router = APIRouter()


@router.get("/v1/reasons", **openapi_service.REASONS)
async def reasons() -> Response:
    """List all reasons; they change with a deployment only."""
    document = msgspec.json.encode(ReasonList(items=tuple(REASONS.values()), next=None))
    return Response(document, 200, {"Cache-Control": "max-age=60"}, "application/json")

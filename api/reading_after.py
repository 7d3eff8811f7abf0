"""Answers a question only after a result that its caller knows of can be seen in this process.

An answer with a result says where it stands: `Adjust-Position`. Who sends that back with a later
question, as `Adjust-After`, reads its own write, whichever process is asked.
"""

import re

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.desk import CATCH_UP_S, Reader
from api.errors import NotCaughtUpError
from api.parameters import parameter_problem
from api.problems import unavailable
from schemas.adjustment_result import Fault
from schemas.refusals import Refusal

POSITION, AFTER = "Adjust-Position", "Adjust-After"
PREVIEW = "/v1/adjustments/preview"

_POSITION = "([0-9]{1,9})-([0-9]{1,18})"
_QUESTIONS = "/v1/"  # what begins like this is answered from what was read


class ReadAfter:
    """Keeps a question until this process shows what its caller has seen elsewhere."""

    def __init__(self, inner: ASGIApp, app: FastAPI) -> None:
        """Stand around the routes."""
        self._inner = inner
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a question on, or answer that it cannot be answered yet."""
        refused = None
        if _is_question(scope) and (given := Headers(scope=scope).getlist(AFTER)):
            refused = await _wait(self._app.state.desk.reader, given)
        await (refused or self._inner)(scope, receive, send)


def _is_question(scope: Scope) -> bool:
    if scope["type"] != "http" or not scope["path"].startswith(_QUESTIONS):
        return False
    return bool(scope["method"] == "GET" or scope["path"] == PREVIEW)


async def _wait(reader: Reader, given: list[str]) -> Response | None:
    position = re.fullmatch(_POSITION, given[0])
    if position is None or len(given) > 1:
        message = f"{AFTER} must be the {POSITION} of one answer, as in 3-1042."
        fault = Fault(code=Refusal.INVALID_FORMAT, field=AFTER, message=message)
        return parameter_problem((fault,))
    try:
        await reader.show(int(position[1]), int(position[2]), CATCH_UP_S)
    except NotCaughtUpError:
        return unavailable(f"This process has not read as far as {position[0]} yet.")
    return None

"""Looks something up, and believes that it is not there only of all that the topics hold."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import ParamSpec, TypeVar

from starlette.responses import Response

from api.desk import CATCH_UP_S, Desk
from api.errors import NotCaughtUpError
from api.problems import problem, unavailable
from schemas.refusals import Refusal

NAMED_MAX = 10

P = ParamSpec("P")
T = TypeVar("T")


async def look_up(
    desk: Desk, topics: Collection[str], look: Callable[P, T], *given: P.args, **named: P.kwargs
) -> T | Response:
    """Give what was found, or nothing; a `503` if these topics may hold more than is kept."""
    found = await asyncio.to_thread(look, *given, **named)
    if found:
        return found
    try:
        await desk.reader.catch_up(CATCH_UP_S, topics)
    except NotCaughtUpError:
        return unavailable("The topics have not been read to their ends.")
    return await asyncio.to_thread(look, *given, **named)


def ambiguous(accounts: Sequence[str], what: str) -> Response:
    """Answer that several accounts have what only one was expected to have."""
    names = ", ".join(accounts[:NAMED_MAX])
    message = f"{len(accounts)} accounts {what}: {names}. Name one with ?account=."
    return problem(Refusal.AMBIGUOUS_ID, message)

"""Calls that block, in a thread, for who holds something that the call uses."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """As `asyncio.to_thread`; but who is cancelled goes on only once the call is over."""
    called = asyncio.ensure_future(asyncio.to_thread(call, *given, **named))
    try:
        return await asyncio.shield(called)
    except asyncio.CancelledError:
        await asyncio.wait({called})
        raise

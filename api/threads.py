"""Work that is over before who waits for it goes on, cancelled or not: it uses what they hold."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_full(work: Awaitable[T]) -> T:
    """Give what comes of work; who is cancelled, however often, goes on only once it is over."""
    working, is_cancelled = asyncio.ensure_future(work), False
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            is_cancelled = True
    result = working.result()  # its own fault goes before the cancellation
    if is_cancelled:
        raise asyncio.CancelledError
    return result


async def in_thread(call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """As `asyncio.to_thread`, in full."""
    return await in_full(asyncio.to_thread(call, *given, **named))


@asynccontextmanager
async def closed_in_thread(parts: Generator[Any, None, None]) -> AsyncIterator[None]:
    """Close in a thread, at the end of the block, what is asked for its parts in threads."""
    try:
        yield
    finally:
        await in_thread(parts.close)

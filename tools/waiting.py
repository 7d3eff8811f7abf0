"""Waits for a condition that nobody tells of, with a limit."""

import asyncio
import time
from collections.abc import Callable

LIMIT_S, PAUSE_S = 60.0, 0.02


def wait_until(
    is_so: Callable[[], object], what: str, limit_s: float = LIMIT_S, pause_s: float = PAUSE_S
) -> None:
    """Look again and again. Raises TimeoutError that says what did not happen."""
    deadline = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline:
            message = f"After {limit_s:.0f} s still not so: {what}."
            raise TimeoutError(message)
        time.sleep(pause_s)


async def comes_true(
    is_so: Callable[[], object], limit_s: float = LIMIT_S, pause_s: float = PAUSE_S
) -> bool:
    """Look again and again without holding up others; say whether it was so within the limit."""
    deadline = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(pause_s)
    return True

"""Waits for a condition that nobody tells of, with a limit."""

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

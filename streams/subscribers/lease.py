"""Tells whether the instance that holds a store is still at work: its mark changes all the time.

Nothing depends on it but who works: whoever takes a store over too early fences the other one.
"""

import time


class Lease:
    """Looks again and again at the mark of whoever holds the store."""

    def __init__(self, lease_s: float) -> None:
        """Say how long a mark may stand still."""
        self._lease_s = lease_s
        self._mark: object = None
        self._since = time.monotonic()

    def has_ended(self, mark: object) -> bool:
        """Whether nobody holds the store, which is no mark, or who does has stood still."""
        now = time.monotonic()
        if mark != self._mark:
            self._mark, self._since = mark, now
        return mark is None or now - self._since >= self._lease_s

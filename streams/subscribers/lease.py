"""Tells whether the instance that holds a store is still at work: its beat changes all the time.

Nothing depends on it but who works: whoever takes a store over too early fences the other one.
"""

import time


class Lease:
    """Looks again and again at the beat of whoever holds the store."""

    def __init__(self, lease_s: float) -> None:
        """Say how long a beat may stand still."""
        self._lease_s = lease_s
        self._beat: object = None
        self._since = time.monotonic()

    def has_ended(self, beat: object) -> bool:
        """Whether nobody holds the store, which is no beat, or who does has stood still."""
        now = time.monotonic()
        if beat != self._beat:
            self._beat, self._since = beat, now
        return beat is None or now - self._since >= self._lease_s

"""The beat of the instance that is at work: a file that it writes again and again."""

import os
import time
import uuid
from pathlib import Path

import msgspec

from streams.subscribers.lease import Lease
from streams.subscribers.warehouse.disk import Disk, is_part, part_in

NAME = "holder.json"
_BEATS = 4  # in the time of a lease


class Holder:
    """Nothing depends on it but who works. Raises OSError."""

    def __init__(self, folder: Path, disk: Disk, lease_s: float) -> None:
        """Say where the beat is, and how long it may stand still."""
        self._file = folder / NAME
        self._disk = disk
        self._beat_s = lease_s / _BEATS
        self._lease = Lease(lease_s)
        self._instance = uuid.uuid4().hex
        self._ours: bytes | None = None
        self._beats = 0
        self._beaten = -self._beat_s

    def is_free(self) -> bool:
        """Whether nobody else is at work."""
        written = self._written()
        is_ours = written is not None and written == self._ours
        return is_ours or self._lease.has_ended(written)

    def take(self) -> None:
        """Make the place ours, and delete what others did not finish."""
        self._beaten = -self._beat_s
        self.beat()
        for file in self._file.parent.iterdir():
            if is_part(file.name):
                self._disk.remove(file)

    def beat(self) -> None:
        """Show that we live, if it is time to."""
        now = time.monotonic()
        if now - self._beaten < self._beat_s:
            return
        self._beats, self._beaten = self._beats + 1, now
        beat = {"instance": self._instance, "process": os.getpid(), "beat": self._beats}
        part = part_in(self._file.parent)
        self._ours = msgspec.json.encode(beat)
        self._disk.write(part, [self._ours])
        part.replace(self._file)

    def leave(self) -> None:
        """Let others have the warehouse at once."""
        if self._ours is not None and self._written() == self._ours:
            self._disk.remove(self._file)

    def _written(self) -> bytes | None:
        try:
            return self._file.read_bytes()
        except FileNotFoundError:
            return None

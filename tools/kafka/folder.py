"""The locks of a data folder: who runs Kafka from it, and whether anything still does."""

import fcntl
import json
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from tools.kafka.errors import FolderInUseError, StillStoppingError

WAIT_S = 20.0
NOTE = "running.json"


def take_locks(home: Path, wait_s: float = WAIT_S) -> tuple[IO[str], IO[str]]:
    """Give the starter's lock, and the one to pass on to guard and Java.

    Two, since a killed starter frees its own at once while Java may still be stopping.
    Raises FolderInUseError, StillStoppingError.
    """
    with ExitStack() as opened:
        starter = opened.enter_context((home / "starter.lock").open("a"))
        running = opened.enter_context((home / "running.lock").open("a"))
        if not _lock(starter):
            note = _read_note(home)
            raise FolderInUseError(home, note.get("process"), note.get("bootstrap"))
        deadline = time.monotonic() + wait_s
        while not _lock(running):
            if time.monotonic() > deadline:
                raise StillStoppingError(home, wait_s)
            time.sleep(0.05)
        opened.pop_all()
    return starter, running


def leave_note(home: Path, bootstrap: str) -> None:
    """Write down who runs and where, for whoever starts a second one."""
    (home / NOTE).write_text(json.dumps({"process": os.getpid(), "bootstrap": bootstrap}))


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_note(home: Path) -> dict[str, object]:
    try:
        note: dict[str, object] = json.loads((home / NOTE).read_text())
    except (FileNotFoundError, ValueError):  # the other one has only begun to start
        return {}
    return note

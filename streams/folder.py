"""The folder of one worker: locked while it runs, with its identity in the group."""

import fcntl
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO

WORKERS_MAX = 64  # on one machine


class FolderError(Exception):
    """No folder can be used; the text says why."""


@dataclass(frozen=True)
class WorkerFolder:
    """Held as long as the process lives: two with one identity would expel each other for ever."""

    path: Path
    instance_id: str
    lock: IO[str]


def claim_folder(home: Path) -> WorkerFolder:
    """Lock the first free `worker-<n>` in `home`. Raises FolderError."""
    for number in range(WORKERS_MAX):
        path = home.absolute() / f"worker-{number}"
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = (path / "lock").open("a")
        except OSError as error:
            raise FolderError(f"{path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return WorkerFolder(path, _instance_id(path / "instance-id"), lock)
    raise FolderError(f"{home.absolute()} has {WORKERS_MAX} workers already")


def _instance_id(file: Path) -> str:
    """A UUID written once: the folders of two machines both have a `worker-0`."""
    if not file.exists():
        part = file.with_suffix(".new")
        part.write_text(str(uuid.uuid4()))
        part.replace(file)
    return file.read_text()

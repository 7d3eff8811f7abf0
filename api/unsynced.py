"""Lets SQLite write without waiting for the disk, and tells what then cannot be trusted.

What a process wrote outlasts the process, but not a power cut: after one any part of it may be
missing. So a note beside the file says in which run of the machine it is written to, from before
the first write until all of it is on the disk. A note of another run: the end was missed.
"""

import logging
import os
from contextlib import ExitStack, suppress
from pathlib import Path

MACHINE_RUN = Path("/proc/sys/kernel/random/boot_id")  # Linux has it; anew each time it starts

_log = logging.getLogger(__name__)


def begin(database: Path, held: ExitStack) -> bool:
    """Delete what cannot be trusted; answers whether writing need not wait for the disk.

    `database` is a file that only this process writes to, until `held` is closed.
    """
    database = database.resolve()  # SQLite's other files are beside what a link points to
    log, note = Path(f"{database}-wal"), Path(f"{database}.unsynced")
    run = MACHINE_RUN.read_bytes() if MACHINE_RUN.exists() else None
    if note.exists() and note.read_bytes() != run:
        _log.warning("%s was written to when the machine ended; all is read anew.", database)
        for file in (database, log, Path(f"{database}-shm")):
            file.unlink(missing_ok=True)
        _sync(note.parent)  # the note goes last
        note.unlink()
    if run is None:
        return False
    if not note.exists():
        note.write_bytes(run)
        _sync(note)
        _sync(note.parent)
    held.callback(_end, database, log, note)
    return True


def _end(database: Path, log: Path, note: Path) -> None:
    """Put all of it on the disk; from then on it can be trusted.

    Not if SQLite's log is there: then somebody has it open, who will write it into the file.
    """
    with suppress(FileNotFoundError):  # all was deleted meanwhile
        if not log.exists():
            try:
                _sync(database)
            except OSError:
                os.truncate(note, 0)  # of no run: what the disk did not take is never trusted
                raise
            _sync(note.parent)
            note.unlink()
            _sync(note.parent)


def _sync(path: Path) -> None:
    """Have a file's content, or a folder's names, outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

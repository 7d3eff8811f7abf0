"""Removes a folder once its owner is gone, however that ended.

usage: python -I -S sweep.py FOLDER    (stdin is a pipe that the owner holds open)

Told "keep" through the pipe, it leaves the folder where it is. What still stops may write, and make
the folder anew, so it tries for a while: as long as a program is seen to work there.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

TRIES, PAUSE_S = 60, 0.5


def main() -> None:
    """Wait for the owner's end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder = Path(sys.argv[1])
    if b"keep" in sys.stdin.buffer.read():
        return
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not is_used(folder) and not folder.exists():
            return
        time.sleep(PAUSE_S)


def is_used(folder: Path) -> bool:
    """Whether another program works in the folder or was told of it, as far as Linux says."""
    name, own = os.fsencode(folder), str(os.getpid())
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended, or is another user's
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if process.name != own and name in told + os.fsencode((process / "cwd").readlink()):
                return True
    return False


if __name__ == "__main__":
    main()

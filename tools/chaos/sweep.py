"""Removes a folder once its owner is gone, however that ended.

usage: python -I -S sweep.py FOLDER    (stdin is a pipe that the owner holds open)

Told "keep" through the pipe, it leaves the folder where it is. What still stops may still write, so
it tries for a while.
"""

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
        if not folder.exists():
            return
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()

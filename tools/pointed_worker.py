"""A worker that is killed, or waits, when a named step is done for the n-th time.

usage: python -m tools.pointed_worker [POINT HIT [HOLD_S]]
"""

import asyncio
import os
import signal
import sys

from streams.__main__ import serve


class Pointed:
    """Counts how often the point was reached."""

    def __init__(self, point: str, hit: int, hold_s: float) -> None:
        self.point, self.left, self.hold_s = point, hit, hold_s

    async def reached(self, done: str, unit: int) -> None:
        """Told of each step done; at the one that counts the process ends here, or waits."""
        if done != self.point or self.left == 0:
            return
        self.left -= 1
        if self.left:
            return
        sys.stderr.write(f"point {done} reached by unit {unit}\n")
        sys.stderr.flush()
        if self.hold_s:
            await asyncio.sleep(self.hold_s)
        else:
            os.kill(os.getpid(), signal.SIGKILL)


def serve_until(point: str = "", hit: str = "0", hold_s: str = "0") -> int:
    """One worker's life; without a point it serves until a signal."""
    return serve(Pointed(point, int(hit), float(hold_s)).reached)


if __name__ == "__main__":
    sys.exit(serve_until(*sys.argv[1:]))

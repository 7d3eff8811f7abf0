"""Runs one child and never lets it outlive the process that started this guard.

usage: python -I -S guard.py GRACE_S COMMAND...    (stdin is a pipe that the parent holds open)

The parent asks for a stop by closing the pipe; its death, kill -9 included, closes it too. The
guard then sends SIGTERM, waits GRACE_S, sends SIGKILL. If the guard itself is killed, Linux kills
the child; macOS has no such call: there the child ends with the machine, or is found by the lock
that it holds, since inherited descriptors pass on to it.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable

STOP_SIGNALS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
POLL_S = 0.1
BY_SIGNAL = 128  # and its number: the exit code of a guard whose child a signal ended
PR_SET_PDEATHSIG = 1


def guarded(grace_s: float, command: Iterable[str]) -> list[str]:
    """Give the command that runs another under a guard."""
    return [sys.executable, "-I", "-S", __file__, str(grace_s), *command]


def main() -> int:
    """Give the child's exit code: 128 + N for signal N, 0 where it ended by a SIGTERM of ours."""
    parent, grace_s, command = os.getppid(), float(sys.argv[1]), sys.argv[2:]
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509  there is one thread here
    )
    while child.poll() is None:
        if _is_left_alone(parent) and child.poll() is None:
            _stop(child, grace_s)
            return 0 if _code(child) == BY_SIGNAL + signal.SIGTERM else _code(child)
    return _code(child)


def _code(child: subprocess.Popen[bytes]) -> int:
    """What a shell would say, and Java says by itself after a signal."""
    return child.returncode if child.returncode >= 0 else BY_SIGNAL - child.returncode


def _die_with(guard: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare_child() -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # killed before the kernel had been told
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare_child


def _is_left_alone(parent: int) -> bool:
    readable, _, _ = select.select([0], [], [], POLL_S)
    return bool(readable and not os.read(0, 1)) or os.getppid() != parent


def _stop(child: subprocess.Popen[bytes], grace_s: float) -> None:
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(grace_s)
    child.kill()  # nothing if it has ended
    child.wait()


if __name__ == "__main__":
    sys.exit(main())

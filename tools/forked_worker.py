"""A worker that comes from a fork: its modules were imported once, for all of them.

Importing takes a worker most of the processor time of its start; tests that start hundreds of them
leave it out. All else is as in a process of its own, which it is.
"""

import multiprocessing
import os
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

from tools.pointed_worker import serve_until
from tools.workers import WorkerProcess

SIDES = (1, 2)  # standard output and error


class Fork:
    """A forked process, with the words of `subprocess.Popen`."""

    def __init__(self, log: Path, environment: Mapping[str, str], point: tuple[str, ...]) -> None:
        """Fork, with this environment and no other; what is written is added to the log."""
        arguments = (log, dict(environment), point)
        # A daemon: it is ended with the process that started it.
        self._process = _context().Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        assert self._process.pid
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Its exit code, -N if signal N ended it; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""
        self._process.join(timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Nothing if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class ForkedWorker(WorkerProcess):
    """One worker, some tenths of a second after it was asked for."""

    def _start(self, command: list[str], environment: Mapping[str, str]) -> Fork:
        _, *point = command
        return Fork(self.log, environment, tuple(point))


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["streams.__main__"])
    return context


def _serve(log: Path, environment: Mapping[str, str], point: tuple[str, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with log.open("ab") as out:
        for side in SIDES:
            os.dup2(out.fileno(), side)
    raise SystemExit(serve_until(*point))

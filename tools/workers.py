"""Starts, kills and watches engine workers as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tools.waiting import LIMIT_S, wait_until

READY = "adjust worker ready"
POINTS = (  # steps that a worker can be killed at: those of a unit, then those of a take-over
    *("Fetch", "Take", "Decided", "Begin", "Send", "Confirm", "Commit", "WriteLocal"),
    *("Fence", "ReplayPart", "Replay", "CaughtUp"),
)


class EndedError(RuntimeError):
    """A program ended that was still needed; the text has what it wrote last."""


class Process(Protocol):
    """What is asked of a process; `subprocess.Popen` is one."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """Its exit code, -N if signal N ended it; None while it runs."""

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""

    def send_signal(self, number: int, /) -> None:
        """Nothing if it has ended."""


class ProgramProcess:
    """A program of ours in a home of its own; it is killed when the `with` ends."""

    def __init__(
        self, home: Path, environment: Mapping[str, str], command: list[str], log: str
    ) -> None:
        """Start `python -m command...`; what it writes is added to the log in its home."""
        home.mkdir(parents=True, exist_ok=True)
        self.name, self.log = command[0], home / log
        self.log.touch()
        self._began = self.log.stat().st_size
        self.process = self._start(command, {**os.environ, **environment, "ADJUST_HOME": str(home)})

    def _start(self, command: list[str], environment: Mapping[str, str]) -> Process:
        with self.log.open("ab") as out:
            return subprocess.Popen(
                [sys.executable, "-m", *command], stdout=out, stderr=out, env=environment
            )

    @property
    def text(self) -> str:
        """All that was written to its log since it was started."""
        with self.log.open("rb") as written:
            written.seek(self._began)
            return written.read().decode(errors="replace")

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self.process.poll() is not None

    def wait_for(self, words: str, limit_s: float = LIMIT_S) -> None:
        """Wait until it wrote these words. Raises EndedError if it ends before."""

        def is_written() -> bool:
            has_ended = self.has_ended
            if words in self.text:
                return True
            if has_ended:
                raise EndedError(f"{self.name} ended:\n{self.text[-3000:]}")
            return False

        wait_until(is_written, f"{self.name} writes {words!r}, see {self.log}", limit_s)

    def wait_end(self) -> int:
        """Wait until it ended; its exit code, -9 if it was killed."""
        wait_until(lambda: self.has_ended, f"{self.name} ends, see {self.log}")
        code = self.process.poll()
        assert code is not None
        return code

    def stop(self) -> int:
        """Stop it orderly."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end()

    def kill(self) -> None:
        """Kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """As a paused virtual machine."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `freeze`."""
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()


class WorkerProcess(ProgramProcess):
    """One worker."""

    def __init__(
        self, home: Path, environment: Mapping[str, str], *point: object, log: str = "worker.log"
    ) -> None:
        """`point` = (name, hit) to be killed there, or (name, hit, seconds) to wait there."""
        module = "tools.pointed_worker" if point else "streams"
        super().__init__(home, environment, [module, *map(str, point)], log)

    def wait_ready(self) -> "WorkerProcess":
        """Wait until it serves all its partitions."""
        self.wait_for(READY)
        return self

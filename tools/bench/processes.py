"""Runs the measured programs as processes of their own and reads what they cost."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tools.waiting import wait_until

STOP_MAX_S = 30.0


class Part:
    """One Python module that runs beside us, and what it writes."""

    def __init__(self, module: str, home: Path, environment: Mapping[str, str], *more: str) -> None:
        """Start `python -m module more...`; its output goes to a file in `home`."""
        self.name = module
        self.log = home / f"{module}.log"
        self._offset = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as out:
            self._process = psutil.Popen(
                [sys.executable, "-m", module, *more],
                stdout=out,
                stderr=out,
                env={**os.environ, **environment},
            )

    @property
    def text(self) -> str:
        """What it wrote since it was started."""
        with self.log.open("rb") as written:
            written.seek(self._offset)
            return written.read().decode(errors="replace")

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that it used so far."""
        return cpu_s_of(self._process)

    @property
    def has_ended(self) -> bool:
        """Whether it ended well. Raises RuntimeError if it ended badly."""
        code = self._process.poll()
        if code:
            message = f"{self.name} ended with {code}:\n{self.text[-2000:]}"
            raise RuntimeError(message)
        return code is not None

    def wait_for(self, words: str, limit_s: float = 120.0) -> Self:
        """Wait until it has written these words."""

        def is_written() -> bool:
            return words in self.text or self.has_ended

        wait_until(is_written, f"{self.name} writes {words!r}", limit_s)
        return self

    def wait_for_end(self, limit_s: float = 60.0) -> None:
        """Wait until it has ended well."""
        wait_until(lambda: self.has_ended, f"{self.name} has ended", limit_s)

    def stop(self) -> None:
        """Ask it to stop, wait for its end."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_MAX_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        """Nothing more to do: it runs."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave nothing behind."""
        self.stop()


def cpu_s_of(process: psutil.Process) -> float:
    """Seconds of processor time, 0 once the process is gone."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def java() -> psutil.Process:
    """Find the Kafka that this process started."""
    started = psutil.Process().children(recursive=True)
    return next(process for process in started if process.name() == "java")

"""Runs the measured programs as processes of their own and reads what they cost."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import psutil

from tools.waiting import wait_until
from tools.workers import Process, ProgramProcess


class Part(ProgramProcess):
    """One Python module that runs beside us; it is stopped orderly when the `with` ends."""

    def __init__(self, module: str, home: Path, environment: Mapping[str, str], *more: str) -> None:
        """Start `python -m module more...`; its output goes to a file in `home`."""
        super().__init__(home, environment, [module, *more], f"{module}.log")
        self._measured = psutil.Process(self.process.pid)

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that it used so far."""
        return cpu_s_of(self._measured)

    @property
    def memory_mb(self) -> float:
        """Resident memory, in megabytes; 0 once it is gone."""
        try:
            return float(self._measured.memory_info().rss) / 1e6
        except psutil.NoSuchProcess:
            return 0.0

    @property
    def has_ended_well(self) -> bool:
        """False while it runs. Raises RuntimeError if it ended badly."""
        code = self.process.poll()
        if code:
            message = f"{self.name} ended with {code}:\n{self.text[-2000:]}"
            raise RuntimeError(message)
        return code is not None

    def wait_for_end(self) -> None:
        """Wait until it has ended well."""
        wait_until(lambda: self.has_ended_well, f"{self.name} has ended")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            self.kill()


class Program(Part):
    """Any program that runs beside us; it ends when we do, if it watches its standard input."""

    def __init__(self, name: str, home: Path, command: list[str], **environment: str) -> None:
        """Start this command; its output goes to a file of that name in `home`."""
        self._command = command
        super().__init__(name, home, environment)

    def _start(self, _command: list[str], environment: Mapping[str, str]) -> Process:
        with self.log.open("ab") as out:
            started = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=out, stderr=out, env=environment
            )
        self._held = started.stdin
        return started

    def kill(self) -> None:
        """Kill -9."""
        super().kill()
        if self._held:
            self._held.close()


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

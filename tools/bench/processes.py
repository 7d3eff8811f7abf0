"""Runs the measured programs as processes of their own and reads what they cost."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil

from tools.guard import BY_SIGNAL, guarded
from tools.waiting import wait_until
from tools.workers import EndedError, Process, ProgramProcess

GRACE_S = 30.0


class Guarded:
    """A program under a guard, so that it never outlives this process, with the words of `Popen`.

    Its number and its signals are the program's own. A request to stop goes to the guard, which
    answers it with the program's exit code, and with 0 where SIGTERM ended it.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        """Start it; what it writes is added to the log."""
        with log.open("ab") as out:
            self._guard = subprocess.Popen(
                guarded(GRACE_S, command),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env=environment,
                start_new_session=True,
            )
        self.child: psutil.Process | None = None
        wait_until(self._is_found, f"{command[0]} has started", pause_s=0.002)

    @property
    def pid(self) -> int:
        """Its number; the guard's if it was gone before it was seen."""
        return self.child.pid if self.child else self._guard.pid

    def poll(self) -> int | None:
        """Its exit code, -N if signal N ended it; None while it runs."""
        return _own_code(self._guard.poll())

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""
        return _own_code(self._guard.wait(timeout))

    def send_signal(self, number: int) -> None:
        """Nothing if it has ended."""
        assert self._guard.stdin
        if number == signal.SIGTERM or self.poll() is not None:
            self._guard.stdin.close()
        elif self.child:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.child.send_signal(number)

    def _is_found(self) -> bool:
        if self._guard.poll() is None:
            self.child = next(iter(psutil.Process(self._guard.pid).children()), None)
        return bool(self.child or self._guard.poll() is not None)


class Part(ProgramProcess):
    """One Python module that runs beside us; it is stopped orderly when the `with` ends."""

    process: Guarded

    def __init__(self, module: str, home: Path, environment: Mapping[str, str], *more: str) -> None:
        """Start `python -m module more...`; its output goes to a file in `home`."""
        super().__init__(home, environment, [module, *more], f"{module}.log")

    def _start(self, command: list[str], environment: Mapping[str, str]) -> Process:
        return Guarded([sys.executable, "-m", *command], self.log, environment)

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that it used so far."""
        return cpu_s_of(self.process.child) if self.process.child else 0.0

    @property
    def memory_mb(self) -> float:
        """Resident memory, in megabytes; 0 once it is gone."""
        try:
            child = self.process.child
            return float(child.memory_info().rss) / 1e6 if child else 0.0
        except psutil.NoSuchProcess:
            return 0.0

    @property
    def has_ended_well(self) -> bool:
        """False while it runs. Raises EndedError if it ended badly."""
        code = self.process.poll()
        if code:
            message = f"{self.name} ended with {code}:\n{self.text[-2000:]}"
            raise EndedError(message)
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
    """Any program that runs beside us."""

    def __init__(self, name: str, home: Path, command: list[str], **environment: str) -> None:
        """Start this command; its output goes to a file of that name in `home`."""
        self._command = command
        super().__init__(name, home, environment)

    def _start(self, _command: list[str], environment: Mapping[str, str]) -> Process:
        return Guarded(self._command, self.log, environment)


def cpu_s_of(process: psutil.Process) -> float:
    """Seconds of processor time, 0 once the process is gone."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _own_code(code: int | None) -> int | None:
    return BY_SIGNAL - code if code is not None and code > BY_SIGNAL else code

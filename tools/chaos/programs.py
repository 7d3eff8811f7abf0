"""Programs of ours that are brought back whenever they end, and can be killed and frozen."""

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tools.chaos.outcome import NotDoneError
from tools.guard import guarded
from tools.waiting import comes_true

GRACE_S = 8.0
PAUSE_FIRST_S, PAUSE_MAX_S = 0.3, 4.0
LONG_LIFE_S = 10.0
POLL_S = 0.02
REACHED_MAX_S, GONE_MAX_S = 30.0, 20.0  # never so long unless the machine is at its end
READY_MAX_S = 30.0  # a start takes some seconds, and longer on a busy machine


@dataclass(frozen=True)
class Life:
    """How a program is started once."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Program:
    """One program under a guard, so that it never outlives this process; one fault at a time."""

    def __init__(self, name: str, home: Path, usual: Life, ready_line: str) -> None:
        self.name, self.home, self._ready_line = name, home, ready_line
        self.is_wanted = False
        self.is_struck = asyncio.Lock()  # by a fault
        self.lives = 0  # begun so far
        self.log = home.parent / f"{name}.log"
        self.usual = usual
        self._next: Life | None = None
        self._guard: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.ready_s = READY_MAX_S
        self._life_begins_at = 0  # in its log
        self._frozen_life = 0

    def start(self, life: Life | None = None) -> None:
        """Run it until `stop`. The first time as `life` says, after its end as usual."""
        assert not self.is_wanted
        self.home.mkdir(parents=True, exist_ok=True)
        self.is_wanted, self._next, self._guard = True, life, None
        self._life_begins_at = self.written
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Stop it orderly, and do not bring it back."""
        await self._give_up()

    async def kill_for_good(self) -> None:
        """Kill -9, and do not bring it back."""
        self.is_wanted = False
        with contextlib.suppress(NotDoneError):  # it was between two lives
            await self.kill()
        await self._give_up()

    async def kill(self) -> None:
        """Kill -9; it is brought back. Raises NotDoneError if it was not to run."""
        await self._signal(signal.SIGKILL)

    async def freeze(self) -> None:
        """As a paused virtual machine. Raises NotDoneError as `kill`."""
        await self._signal(signal.SIGSTOP)
        self._frozen_life = self.lives

    async def resume(self) -> None:
        """Go on after `freeze`. Raises NotDoneError as `kill`, and if it was killed meanwhile."""
        await self._signal(signal.SIGCONT)
        if self.lives != self._frozen_life:
            raise NotDoneError(f"{self.name} was killed while it was frozen")

    @property
    def written(self) -> int:
        """How many bytes it wrote in all its lives."""
        return self.log.stat().st_size if self.log.exists() else 0

    def has_said(self, words: str, after: int | None = None) -> bool:
        """Whether it wrote these words after so many bytes, or since it was last started."""
        if not self.log.exists():
            return False
        with self.log.open("rb") as written:
            written.seek(self._life_begins_at if after is None else after)
            return words.encode() in written.read()

    async def is_ready(self) -> bool:
        """Whether it says that it is at work, in time."""
        return await comes_true(lambda: self.has_said(self._ready_line), self.ready_s)

    async def wait_end(self) -> None:
        """Return when the life that it has now is over."""
        await comes_true(lambda: self._guard)
        if self._guard:
            await self._guard.wait()

    async def _give_up(self) -> None:
        self.is_wanted = False
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
        if self._keeper:
            ended, _ = await asyncio.wait({self._keeper}, timeout=GONE_MAX_S)
            if not ended and self._guard:
                self._guard.kill()  # Linux then kills what it guards
            await asyncio.wait_for(self._keeper, GONE_MAX_S)

    async def _keep(self) -> None:
        pause_s = PAUSE_FIRST_S
        while self.is_wanted:
            begun = time.monotonic()
            life, self._next = self._next or self.usual, None
            await self._live(life)
            is_long = time.monotonic() - begun > LONG_LIFE_S
            pause_s = PAUSE_FIRST_S if is_long else min(2 * pause_s, PAUSE_MAX_S)
            await comes_true(lambda: not self.is_wanted, pause_s)

    async def _live(self, life: Life) -> None:
        with self.log.open("ab") as out:
            self._life_begins_at = out.tell()
            self._guard = await asyncio.create_subprocess_exec(
                *guarded(GRACE_S, life.command),
                stdin=PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={
                    **os.environ,
                    **self.usual.environment,
                    **life.environment,
                    "ADJUST_HOME": str(self.home),
                    "PYTHONUNBUFFERED": "1",
                },
            )
        self.lives += 1
        assert self._guard.stdin
        if not self.is_wanted:
            self._guard.stdin.close()
        await self._guard.wait()
        self._guard.stdin.close()

    async def _signal(self, number: signal.Signals) -> None:
        """Reach the program behind its guard, in this life or the next. Raises NotDoneError."""
        deadline = time.monotonic() + REACHED_MAX_S
        while self._keeper and not self._keeper.done() and time.monotonic() < deadline:
            if self._guard and self._guard.returncode is None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    for child in psutil.Process(self._guard.pid).children():
                        child.send_signal(number)
                        return
            await asyncio.sleep(POLL_S)
        raise NotDoneError(f"{self.name} does not run")

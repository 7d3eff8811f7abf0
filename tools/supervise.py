"""Runs parts as child processes: each is brought back when it dies, and none outlives this one.

A part has its own session and its own guard, so Ctrl-C reaches only this process, which stops the
parts in the reverse order of their start. A part that was never ready and failed three times is
given up: nothing is gained by starting it a fourth time.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tools.guard import guarded

PAUSE_FIRST_S, PAUSE_MAX_S = 1.0, 30.0
LONG_LIFE_S = 60.0
FAILURES_MAX = 3
LAST_LINES = 12
LINE_MAX_BYTES = 1 << 20
POLL_S = 0.05
STILL_WAITING_S = 5.0

Say = Callable[[str, str], None]


class PartFailedError(Exception):
    """A part does not come up; the text ends with its own last lines."""

    def __init__(self, name: str, code: int, last_lines: list[str]) -> None:
        """Say how it ended."""
        said = "".join(f"\n  {line}" for line in last_lines)
        super().__init__(f"{name} ended with exit code {code} before it was ready.{said}")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A program to run; it is ready with the line `ready_line`, or when `is_ready` says so."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_line: str | None = None
    is_ready: Callable[[], Awaitable[bool]] | None = None
    grace_s: float = 10.0


class Supervisor:
    """The parts that run, in the order of their start."""

    def __init__(self, say: Say, pause_first_s: float = PAUSE_FIRST_S) -> None:
        """`say` gets each line of a part with its name; pauses double from the first."""
        self._say = say
        self._pause_first_s = pause_first_s
        self._kept: list[_Kept] = []

    async def bring_up(self, part: Part) -> None:
        """Start a part that is to run until `stop`; return when it is ready.

        Raises PartFailedError.
        """
        kept = _Kept(part, self._say, self._pause_first_s)
        self._kept.append(kept)
        begun = asyncio.get_running_loop().time()
        said_at = begun
        while not kept.was_ready.is_set():
            await asyncio.wait({kept.task}, timeout=POLL_S)
            if kept.task.done():
                kept.task.result()
            if asyncio.get_running_loop().time() - said_at > STILL_WAITING_S:
                said_at = asyncio.get_running_loop().time()
                self._say("run", f"waiting for {part.name}, {said_at - begun:.0f} s so far")

    async def bring_up_together(self, parts: Iterable[Part]) -> None:
        """Start parts that need not wait for one another. Raises PartFailedError of the first."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(self.bring_up(part))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def run_once(self, part: Part) -> None:
        """Run a part to its end. Raises PartFailedError where it fails."""
        process, lines = await _start(part), deque[str](maxlen=LAST_LINES)
        assert process.stdin
        try:
            async for line in _lines(process):
                lines.append(line)
                self._say(part.name, line)
            code = await process.wait()
        finally:
            process.stdin.close()
            await process.wait()
        if code:
            raise PartFailedError(part.name, code, list(lines))

    async def stop(self) -> None:
        """Stop all, the last one first."""
        while self._kept:
            kept = self._kept[-1]
            await kept.stop()
            self._kept.pop()
            self._say("run", f"{kept.part.name} stopped")


class _Kept:
    """One part and its lives."""

    def __init__(self, part: Part, say: Say, pause_first_s: float) -> None:
        self.part = part
        self.was_ready = asyncio.Event()
        self._say = say
        self._pause_first_s = pause_first_s
        self._is_stopping = asyncio.Event()
        self._last_lines = deque[str](maxlen=LAST_LINES)
        self.task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the part and wait until it is gone."""
        self._is_stopping.set()
        await asyncio.wait({self.task})

    async def _keep(self) -> None:
        pause_s, failures = self._pause_first_s, 0
        while not self._is_stopping.is_set():
            begun = time.monotonic()
            code = await self._live()
            if self._is_stopping.is_set():
                return
            failures += 1
            if failures == FAILURES_MAX and not self.was_ready.is_set():
                raise PartFailedError(self.part.name, code, list(self._last_lines))
            if time.monotonic() - begun > LONG_LIFE_S:
                pause_s = self._pause_first_s
            again = f"ended with exit code {code}; starting it again in {pause_s:g} s"
            self._say("run", f"{self.part.name} {again}")
            await _wait(self._is_stopping, pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    async def _live(self) -> int:
        """Run the part once; give its exit code."""
        process = await _start(self.part)
        tasks = [
            asyncio.create_task(work)
            for work in (self._relay(process), self._until_ready(), self._stop_when_asked(process))
        ]
        try:
            code = await process.wait()
            await tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        return code

    async def _relay(self, process: asyncio.subprocess.Process) -> None:
        async for line in _lines(process):
            self._last_lines.append(line)
            self._say(self.part.name, line)
            if self.part.ready_line and self.part.ready_line in line:
                self.was_ready.set()

    async def _until_ready(self) -> None:
        if self.part.is_ready:
            while not await self.part.is_ready():  # noqa: ASYNC110  another process sets no event
                await asyncio.sleep(POLL_S)
            self.was_ready.set()

    async def _stop_when_asked(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        try:
            await self._is_stopping.wait()
        finally:
            process.stdin.close()


async def _start(part: Part) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *guarded(part.grace_s, part.command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=LINE_MAX_BYTES,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **part.environment},
    )


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    assert process.stdout
    async for line in process.stdout:
        yield line.decode(errors="replace").rstrip()


async def _wait(event: asyncio.Event, limit_s: float) -> None:
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({waiting}, timeout=limit_s)
    waiting.cancel()

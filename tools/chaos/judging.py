"""Lets `python -m tools.verify` judge what a round has made, from outside."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.guard import guarded
from tools.verify.standing import Kind, Standing

GRACE_S = 1.0
VERIFY = (sys.executable, "-m", "tools.verify")
VERIFY_MAX_S = 300.0
CATCH_UP_TRIES, CATCH_UP_PAUSE_S = 15, 2.0
FAILURES_MAX = 3  # in a row; what was only too slow to answer may answer next time
TOLD_MAX = 2000
ENDS = {True: 0, False: 1}  # how verify ends if all agrees, and if not


class JudgementFailedError(Exception):
    """Verify came to no verdict; the text is the last that it said."""


@dataclass(frozen=True)
class Verdict:
    """What verify found: how many disagreements, and what it tells of them."""

    disagreements: int
    lines: list[str]
    totals: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)  # said of subscribers that are not at the end


@dataclass(frozen=True)
class Judge:
    """Where a round is looked at; `acknowledged` is written first."""

    folder: Path
    bootstrap: str
    home: Path
    workers: tuple[Path, ...]
    verify: Sequence[str] = VERIFY
    limit_s: float = VERIFY_MAX_S

    def note_acknowledged(self, acknowledged: Iterable[tuple[str, str]]) -> None:
        """Write down which requests must have results."""
        lines = (f"{account} {request_id}\n" for account, request_id in acknowledged)
        self._acknowledged.write_text("".join(lines))

    async def judge(
        self, pause_s: float = CATCH_UP_PAUSE_S, tries: int = CATCH_UP_TRIES
    ) -> Verdict:
        """Judge everything, once subscribers have read to the end. Workers must have stopped.

        Raises JudgementFailedError.
        """
        for _ in range(tries):
            verdict = await self._verdict(pause_s)
            if not verdict.unread:
                return verdict
            await asyncio.sleep(pause_s)
        lines = [line for line in verdict.unread if line not in verdict.lines]
        more = verdict.disagreements + len(lines)
        return replace(verdict, disagreements=more, lines=[*verdict.lines, *lines])

    @property
    def _acknowledged(self) -> Path:
        return self.folder / "acknowledged"

    async def _verdict(self, pause_s: float) -> Verdict:
        """Let verify look, again if it died. Raises JudgementFailedError."""
        for _ in range(FAILURES_MAX - 1):
            try:
                return await self._verify()
            except JudgementFailedError:
                await asyncio.sleep(pause_s)
        return await self._verify()

    async def _verify(self) -> Verdict:
        found = self.folder / "findings.json"
        found.unlink(missing_ok=True)
        code, said = await self._run(
            *("--bootstrap-servers", self.bootstrap),
            *("--home", str(self.home)),
            *("--acknowledged", str(self._acknowledged)),
            *("--json", str(found)),
            *(part for worker in self.workers for part in ("--worker-home", str(worker))),
        )
        content = json.loads(found.read_text()) if found.exists() else None
        if content is None or code != ENDS[content["agrees"]]:
            raise JudgementFailedError(f"verify ended with {code}: {said[-TOLD_MAX:].strip()}")
        return read_verdict(content)

    async def _run(self, *arguments: str) -> tuple[int | None, str]:
        """Give verify's exit code, nothing if it did not end in time, and what it said."""
        process = await asyncio.create_subprocess_exec(
            *guarded(GRACE_S, [*self.verify, *arguments]),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        assert process.stdin
        try:
            async with asyncio.timeout(self.limit_s):
                said, _ = await process.communicate()
        except TimeoutError:
            process.stdin.close()
            await process.communicate()
            return None, f"it had not ended after {self.limit_s:.0f} s"
        finally:
            process.stdin.close()
        return process.returncode, said.decode(errors="replace")


def read_verdict(content: dict[str, Any]) -> Verdict:
    """Take up what verify wrote with --json."""
    unreadable = [each for each in content["stores"] if each["standing"] == Standing.UNREADABLE]
    disagreements = content["totals"]["disagreements"] + len(unreadable)
    totals = {what: count for what, count in content["totals"].items() if what != "disagreements"}
    unread = [
        store["text"]
        for store in content["stores"]
        if store["kind"] != Kind.WORKER and store["standing"] != Standing.WHOLE
    ]
    return Verdict(disagreements, [*_lines(content)], totals, unread)


def _lines(content: dict[str, Any]) -> Iterator[str]:
    for check in content["checks"]:
        if check["disagreements"]:
            yield f"{check['id']} {check['name']}: {check['disagreements']}"
            yield from check["lines"]
    for store in content["stores"]:
        if store["standing"] == Standing.UNREADABLE:
            yield store["text"]

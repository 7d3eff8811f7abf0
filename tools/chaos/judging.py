"""Lets `python -m tools.verify` judge what a round has made, from outside."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.guard import guarded
from tools.verify.standing import Kind, Standing

GRACE_S = 1.0
CATCH_UP_TRIES, CATCH_UP_PAUSE_S = 15, 2.0


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

    def note_acknowledged(self, acknowledged: Iterable[tuple[str, str]]) -> None:
        """Write down which requests must have results."""
        lines = (f"{account} {request_id}\n" for account, request_id in acknowledged)
        self._acknowledged.write_text("".join(lines))

    async def judge(self) -> Verdict:
        """Judge everything, once subscribers have read to the end. Workers must have stopped."""
        for _ in range(CATCH_UP_TRIES):
            verdict = await self._verify()
            if not verdict.unread:
                return verdict
            await asyncio.sleep(CATCH_UP_PAUSE_S)
        lines = [line for line in verdict.unread if line not in verdict.lines]
        more = verdict.disagreements + len(lines)
        return replace(verdict, disagreements=more, lines=[*verdict.lines, *lines])

    @property
    def _acknowledged(self) -> Path:
        return self.folder / "acknowledged"

    async def _verify(self) -> Verdict:
        found = self.folder / "findings.json"
        found.unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "tools.verify"),
            *("--bootstrap-servers", self.bootstrap),
            *("--home", str(self.home)),
            *("--acknowledged", str(self._acknowledged)),
            *("--json", str(found)),
            *(part for worker in self.workers for part in ("--worker-home", str(worker))),
        ]
        process = await asyncio.create_subprocess_exec(
            *guarded(GRACE_S, command),
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            start_new_session=True,
        )
        assert process.stdin
        assert process.stderr
        try:
            errors = await process.stderr.read()
            await process.wait()
        finally:
            process.stdin.close()
        if not found.exists():
            return Verdict(1, [f"verify said nothing: {errors.decode(errors='replace')[-2000:]}"])
        return read_verdict(json.loads(found.read_text()))


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

"""Which files of the warehouse count, as its commits say, and what their names tell."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tools.verify.held import AbsentError
from tools.verify.rows import TABLES

_NAME = re.compile(
    f"({'|'.join(TABLES)})/date=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})"
    r"/business-transactions-([0-9]+)-([0-9]+)-([0-9]+)\.parquet"
)


class Named(NamedTuple):
    """What the path of a file says of its rows."""

    path: str
    table: str
    date: str
    partition: int
    first: int
    last: int


@dataclass(frozen=True)
class Live:
    """All files that count at one moment, and how far the topic was read for them."""

    number: int
    paths: list[str]
    following: dict[int, int]
    seqs: dict[int, int | None]
    faults: list[str]


def live_files(folder: Path) -> Live:
    """Put the commits together. Raises AbsentError, and FileNotFoundError where one goes now."""
    numbers = commit_numbers(folder)
    if not numbers:
        raise AbsentError(f"There are no commits of a warehouse in {folder}.")
    commits = list(_needed(folder, numbers[-1]))
    paths: dict[str, None] = {}
    faults: list[str] = []
    for number, commit in reversed(commits):
        faults += [f"commit {number} {fault}" for fault in _apply(commit, paths)]
    newest = commits[0][1]
    following, seqs = newest["next"], newest.get("seq", {})
    return Live(
        number=numbers[-1],
        paths=list(paths),
        following={int(partition): offset for partition, offset in following.items()},
        seqs={int(partition): seq for partition, seq in seqs.items()},
        faults=faults,
    )


def commit_numbers(folder: Path) -> list[int]:
    """Give the numbers of all commits that are there."""
    names = [file.name for file in (folder / "commits").glob("*.json")]
    return sorted(int(name[:-5]) for name in names if name[:-5].isdecimal())


def unnamed_files(folder: Path, live: Live) -> list[str]:
    """Give the files that lie there and do not count."""
    there = {file.relative_to(folder).as_posix() for file in folder.glob("*/date=*/*.parquet")}
    return sorted(there - set(live.paths))


def read_name(path: str) -> Named | None:
    """Read a path; nothing where no rows may lie in such a one."""
    found = _NAME.fullmatch(path)
    if found is None:
        return None
    table, date, *numbers = found.groups()
    partition, first, last = map(int, numbers)
    return Named(path, table, date, partition, first, last)


def _apply(commit: dict[str, Any], paths: dict[str, None]) -> Iterator[str]:
    """Change what counts as a commit says; tell what does not fit."""
    if commit.get("all"):
        paths.clear()
    for path in commit["removed"]:
        if path in paths:
            del paths[path]
        elif not commit.get("all"):
            yield f"removes {path}, which did not count before"
    for path in commit["files"]:
        if path in paths:
            yield f"adds {path}, which counted already"
        paths[path] = None


def _needed(folder: Path, newest: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give the commits from the newest back to the last that names all files, or the first."""
    for number in range(newest, 0, -1):
        commit = json.loads((folder / "commits" / f"{number}.json").read_bytes())
        yield number, commit
        if commit.get("all"):
            return

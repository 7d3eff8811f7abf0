"""What a run did and found, on paper; several runs add up to one."""

import math
import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from tools.chaos.plan import GROUPS, KINDS

TOGETHER = "several at once"
CANNOT_GO_ON = 2
PERCENT_HALF, PERCENT_ALMOST_ALL = 50, 99
GIB = 1 << 30
LIMITS_S = {"worker kills": 20, "broker restarts": 30}  # what the promise allows
GROUP_OF = {kind.name: kind.group for kind in KINDS}


def machine() -> str:
    """Name the machine in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"{memory:.0f} GiB, Python {platform.python_version()}"
    )


@dataclass
class Report:
    """Counts of one run, or of several. What maps kinds of faults is by their names."""

    seeds: list[int] = field(default_factory=list)
    minutes: float = 0.0
    rounds: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    recoveries: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    # infinite where it never came; nothing in JSON, which has no such number
    not_done: Counter[str] = field(default_factory=Counter)  # drawn, and could not be done
    requests: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)
    disagreements: int = 0
    lines: list[str] = field(default_factory=list)  # what is told of them
    not_run: dict[str, str] = field(default_factory=dict)
    unjudged: list[str] = field(default_factory=list)  # rounds that count for nothing, and why
    machine: str = field(default_factory=machine)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Take up what `as_json` gave."""
        made = cls()
        for name, value in content.items():
            if name == "recoveries":
                for kind, times in value.items():
                    made.recoveries[kind] += [math.inf if took is None else took for took in times]
            else:
                setattr(made, name, type(getattr(made, name))(value))
        return made

    @classmethod
    def sum_of(cls, contents: Iterable[dict[str, Any]]) -> Self:
        """Add up runs, each as `as_json` gave it."""
        made = cls()
        for content in contents:
            made.add(cls.from_json(content))
        return made

    @property
    def exit_code(self) -> int:
        """What a program that only reports it ends with."""
        return 1 if self.disagreements else CANNOT_GO_ON if self.unjudged else 0

    def as_json(self) -> dict[str, Any]:
        """Give it for `from_json`."""
        recoveries = {
            kind: [took if took < math.inf else None for took in times]
            for kind, times in self.recoveries.items()
        }
        return {**vars(self), "recoveries": recoveries}

    def add(self, other: "Report") -> None:
        """Add another run. A fault that one of them ran was run."""
        self.seeds += other.seeds
        self.minutes += other.minutes
        self.rounds += other.rounds
        self.faults += other.faults
        self.not_done += other.not_done
        self.requests += other.requests
        self.totals += other.totals
        self.disagreements += other.disagreements
        self.lines += other.lines
        self.unjudged += other.unjudged
        for kind, times in other.recoveries.items():
            self.recoveries[kind] += times
        self.not_run = {
            kind: why
            for kind, why in {**self.not_run, **other.not_run}.items()
            if not self.faults[kind]
        }

    def as_markdown(self) -> str:
        """Give the whole report as a document."""
        return "\n".join([*self._head(), *self._fault_table(), *self._tail(), ""])

    def _head(self) -> Iterable[str]:
        yield "# Chaos"
        yield ""
        yield f"Seeds: {', '.join(map(str, self.seeds))}. {self.minutes:.0f} minutes."
        yield f"Machine: {self.machine}."
        yield f"Rounds: {_listed(self.rounds)}."
        for line in self.unjudged:
            yield f"Without a verdict, and not counted: {line}"
        yield ""

    def _fault_table(self) -> Iterable[str]:
        yield "Recovery: seconds from the end of a fault until a request sent then to each"
        yield "partition had its result."
        yield ""
        yield "| fault | times | measured alone | p50 | p99 | max |"
        yield "|---|--:|--:|--:|--:|--:|"
        for group in GROUPS:
            yield from self._group_rows(group)
        together = self.recoveries.get(TOGETHER, [])
        yield f"| {TOGETHER} | | {_spread(together)} |"
        everything = [one for times in self.recoveries.values() for one in times]
        yield f"| **all** | **{self.faults.total()}** | {_spread(everything)} |"
        yield ""
        for group, limit_s in LIMITS_S.items():
            if times := self._recoveries_of(group):
                took = percentile(times, PERCENT_ALMOST_ALL)
                told = _time(took) + (" s" if took < math.inf else "")
                yield f"After {group} p99 is {told}, {limit_s} s are allowed."
        yield ""

    def _group_rows(self, group: str) -> Iterable[str]:
        """Give a row for each kind of the group, and one for all of them if they are several."""
        kinds = [kind for kind in self.faults if group_of(kind) == group]
        for kind in sorted(kinds):
            yield f"| {kind} | {self.faults[kind]} | {_spread(self.recoveries.get(kind, []))} |"
        if len(kinds) > 1:
            times = sum(self.faults[kind] for kind in kinds)
            yield f"| **{group}** | **{times}** | {_spread(self._recoveries_of(group))} |"

    def _recoveries_of(self, group: str) -> list[float]:
        kinds = [kind for kind in self.recoveries if kind != TOGETHER and group_of(kind) == group]
        return [one for kind in kinds for one in self.recoveries[kind]]

    def _tail(self) -> Iterable[str]:
        yield f"Requests sent: {_listed(self.requests)}."
        yield f"Found on the topics: {_listed(self.totals)}."
        yield f"Drawn, but could not be done, and not counted: {_listed(self.not_done)}."
        yield ""
        run = {label.split(",", maxsplit=1)[0] for label in self.faults}
        not_run = {kind.name: "not drawn" for kind in KINDS if kind.name not in run} | self.not_run
        reasons = (f"{kind} ({why})" for kind, why in not_run.items())
        yield f"Faults not run: {', '.join(reasons) or 'none'}."
        yield f"Disagreements: {self.disagreements or 'none'}."
        for line in self.lines:
            yield f"- {line}"


def label_of(kind: str, nodes: int) -> str:
    """Name a fault in the report: of brokers there may be several."""
    return f"{kind}, one of {nodes}" if nodes > 1 and GROUP_OF[kind] == "broker restarts" else kind


def group_of(label: str) -> str:
    """Give the group of a fault by its name in the report."""
    return GROUP_OF[label.split(",", maxsplit=1)[0]]


def percentile(times: list[float], percent: int) -> float:
    """Give the least of the times that so many percent do not exceed."""
    rank = math.ceil(len(times) * percent / 100)
    return sorted(times)[max(rank, 1) - 1]


def _spread(times: list[float]) -> str:
    if not times:
        return "0 | | |"
    parts = (percentile(times, PERCENT_HALF), percentile(times, PERCENT_ALMOST_ALL), max(times))
    return f"{len(times)} | " + " | ".join(map(_time, parts))


def _time(took: float) -> str:
    return "never" if took == math.inf else f"{took:.1f}"


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items()) or "none"

"""What was measured, of all parts of one run."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tools.bench.batching import Batched
from tools.bench.drain import Drained
from tools.bench.figures import Limits
from tools.bench.reads import Reads
from tools.bench.rest import Latency
from tools.bench.subscribing import Subscribed
from tools.bench.waits import Restart, Waits

ENGINE = "engine"

T = TypeVar("T")
Runs = defaultdict[str, list[T]]  # of each who was measured, its runs in their order


def _no_runs() -> Runs[T]:
    return defaultdict(list)


@dataclass
class Report:
    """All figures of one run."""

    accounts: int
    events: int
    requests: int
    partitions: int = 0
    compression: str = ""
    runs: Runs[Drained] = field(default_factory=_no_runs)
    limits: dict[str, Limits] = field(default_factory=dict)  # of each peer
    warm_up_share: float = 0.0
    left_out: list[str] = field(default_factory=list)
    post: Latency | None = None
    disagreements: list[str] = field(default_factory=list)
    books_checked: str = ""
    machine: str = ""  # when all was measured
    latency: Runs[Waits] = field(default_factory=_no_runs)
    ways: Runs[Waits] = field(default_factory=_no_runs)  # by topic, by REST
    beside_hot: Runs[Waits] = field(default_factory=_no_runs)  # all, and others than a hot account
    restarts: Runs[Restart] = field(default_factory=_no_runs)
    scaling: Runs[Drained] = field(default_factory=_no_runs)  # by one worker, by two
    workloads: Runs[Drained] = field(default_factory=_no_runs)
    reads: Reads | None = None
    subscribed: Subscribed | None = None
    batched: Batched | None = None
    contest: "Report | None" = None
    sized: "Sized | None" = None

    @property
    def peers(self) -> list[str]:
        """Who was measured beside the engine."""
        return [name for name in self.runs if name != ENGINE]

    @property
    def all_disagreements(self) -> list[str]:
        """Those of all parts."""
        parts = (self, self.subscribed, self.batched, self.contest, self.sized)
        return [line for part in parts if part for line in part.disagreements]

    def ratios(self, peer: str, figure: Callable[[Drained], float]) -> list[float]:
        """Engine / peer in each round, lowest first; nothing if the books do not agree."""
        return self.quotients(self.runs, (ENGINE, peer), figure)

    def quotients(
        self, runs: Runs[T], of: tuple[str, str], figure: Callable[[T], float]
    ) -> list[float]:
        """One / other in each round, lowest first; nothing if the books do not agree."""
        if self.disagreements:
            return []
        one, other = (runs.get(name, []) for name in of)
        return sorted(
            figure(each) / figure(beside) for each, beside in zip(one, other, strict=True)
        )


@dataclass
class Sized:
    """The engine's runs on a system with few events, and on one with many."""

    few: Report
    many: Report

    @property
    def disagreements(self) -> list[str]:
        """Those of both."""
        return self.few.disagreements + self.many.disagreements

    def ratios(self, figure: Callable[[Drained], float]) -> list[float]:
        """Many / few in each round, lowest first; nothing if the books do not agree."""
        if self.disagreements:
            return []
        pairs = zip(self.many.runs[ENGINE], self.few.runs[ENGINE], strict=True)
        return sorted(figure(many) / figure(few) for many, few in pairs)

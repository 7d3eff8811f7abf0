"""Works out how long searches of chargeable events took, from when each was due."""

from dataclasses import dataclass

from tools.bench.calls import Answered
from tools.bench.queries import Kind


@dataclass(frozen=True)
class Searched:
    """The figures of one kind, times in milliseconds."""

    kind: Kind
    count: int
    per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_p99_ms: float  # how long after it was due a search was sent
    found: float  # events on a page, on the average
    own_cpu_ms: float  # a search, of this process
    api_cpu_ms: float


def figures(kind: Kind, answered: list[Answered], own_cpu_s: float, api_cpu_s: float) -> Searched:
    """Work out the figures of all searches of one kind."""
    count = len(answered)
    waited = sorted(each.ended - each.due for each in answered)
    late = sorted(each.sent - each.due for each in answered)
    began = min(each.due for each in answered)
    return Searched(
        kind=kind,
        count=count,
        per_s=count / (max(each.ended for each in answered) - began),
        p50_ms=waited[count // 2] * 1000,
        p99_ms=waited[count * 99 // 100] * 1000,
        max_ms=waited[-1] * 1000,
        late_p99_ms=late[count * 99 // 100] * 1000,
        found=sum(each.found for each in answered) / count,
        own_cpu_ms=own_cpu_s / count * 1000,
        api_cpu_ms=api_cpu_s / count * 1000,
    )

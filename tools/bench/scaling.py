"""Measures what a second worker brings: the same load on one and on two, on the same machine."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from statistics import median

from tools.bench.contestant import rotated
from tools.bench.drain import Drained, drained
from tools.bench.loaded import LOAD_MAX_S, Bench
from tools.bench.processes import Part
from tools.verify.topics import RESULTS
from tools.workers import READY

ONE, TWO = "1 worker", "2 workers"
WORKERS = {ONE: 1, TWO: 2}
WARM_UP_SHARE = 0.2  # the sender works until then
CORES_ON_PAPER = 8


class Workers:
    """Several workers, watched as if they were one."""

    text = ""  # what they said: they are ready before they are watched

    def __init__(self, parts: Sequence[Part]) -> None:
        """Watch these, which run already."""
        self.parts = parts

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that all of them used so far."""
        return sum(part.cpu_s for part in self.parts)

    @property
    def memory_mb(self) -> float:
        """Resident memory of all of them, in megabytes."""
        return sum(part.memory_mb for part in self.parts)

    @property
    def has_ended_well(self) -> bool:
        """Whether one of them ended. Raises EndedError if one ended badly."""
        return any(part.has_ended_well for part in self.parts)


def measure_scaling(bench: Bench, rounds: int, requests: int) -> None:
    """Send as many requests in each round to one worker and to two that share the partitions."""
    for number in range(1, rounds + 1):
        for name in rotated(list(WORKERS), number - 1):
            run = _drained(bench, WORKERS[name], requests, f"bench:{name}:{number}")
            bench.report.scaling[name].append(run)
            bench.say(f"round {number}, {name}: {run.rate_per_s:,.0f} requests/s")


def per_s_on_paper(runs: Sequence[Drained]) -> tuple[float, float]:
    """Give the requests a second for which there are cores enough on paper, and Kafka's share."""
    cpu_us, broker_us = (
        median(run.cpu_us for run in runs),
        median(run.broker_cpu_us for run in runs),
    )
    return CORES_ON_PAPER * 1e6 / cpu_us, broker_us / cpu_us


def _drained(bench: Bench, workers: int, requests: int, user: str) -> Drained:
    """Watch them from when the sender is through, more or less, to the last result."""
    with ExitStack() as stack, ThreadPoolExecutor(1) as sender:
        homes = [bench.system.home / f"worker-{number}" for number in range(workers)]
        parts = [stack.enter_context(bench.system.worker(home)) for home in homes]
        for part in parts:
            part.wait_for(READY, LOAD_MAX_S)
        records = list(bench.population.request_records(requests, user))
        sending = sender.submit(partial(bench.send, records))
        ready, last = bench.meter.watch(
            RESULTS,
            Workers(parts),
            lambda: sending.done() and bench.is_decided(),
            warm_up=int(requests * WARM_UP_SHARE),
        )
        sending.result()
    return drained(ready, last, requests)


def cores() -> int:
    """Count the processors that all of it shares."""
    return os.cpu_count() or 1

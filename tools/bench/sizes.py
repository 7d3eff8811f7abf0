"""Measures what a large state costs: the same requests with few and with many events in it."""

from typing import NamedTuple

from rich.console import Console

from tools.bench.contestant import rotated
from tools.bench.loaded import Bench
from tools.bench.report import Report, Sized
from tools.bench.system import running_system


class Sizes(NamedTuple):
    """How many of what."""

    accounts: int
    few_events: int
    many_events: int
    requests: int


def measure_sizes(sizes: Sizes, rounds: int, console: Console, *, for_long: bool) -> Sized:
    """Drain with few and many events alternately, each on a system that waits meanwhile."""
    with running_system(for_long=for_long) as one, running_system(for_long=for_long) as other:
        benches = []
        for system, events in ((one, sizes.few_events), (other, sizes.many_events)):
            report = Report(sizes.accounts, events, sizes.requests)
            benches.append(Bench(system, report, [], console))
            benches[-1].load()
        for number in range(1, rounds + 1):
            for bench in rotated(benches, number - 1):
                bench.drain_all(number)
        for bench in benches:
            bench.check_books()
        few, many = (bench.report for bench in benches)
    return Sized(few, many)

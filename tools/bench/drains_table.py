"""Prints what draining requests took: beside peers, of several kinds, with few and many events."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from tools.bench.drain import Drained
from tools.bench.figures import Figure, Limits, figures_table
from tools.bench.machine import DURABILITY
from tools.bench.report import ENGINE, Report, Sized
from tools.bench.scaling import CORES_ON_PAPER, ONE, TWO, cores, per_s_on_paper
from tools.bench.workloads import CARELESS, HOT, PLAIN

WORKLOAD_LIMITS, SIZE_LIMITS = Limits(0.95, 0.98, 1.0), Limits(0.75, 0.85, 0.95)
SCALING_LIMITS = Limits(1.0)
DISAGREEMENTS_SHOWN = 10


def drains_table(title: str, runs: Mapping[str, Sequence[Drained]]) -> Table:
    """Give the table of all runs of all who were measured."""
    table = Table(title=title, caption="CPU is processor time a request, in µs")
    table.add_column("round")
    table.add_column("what", no_wrap=True)
    for column in ("requests/s", "ms", "own CPU µs", "Kafka CPU µs", "memory MB"):
        table.add_column(column, justify="right", no_wrap=True)
    for what, drained in runs.items():
        for number, run in enumerate(drained, 1):
            table.add_row(str(number), what, *_figures(run))
    return table


def workloads_table(report: Report) -> Table:
    """Give the table of requests of several kinds."""
    title = (
        "The engine drains requests: plain; careless, with 10 % repeats, 1 % malformed and accounts"
        " by Zipf's law; half of them of one account"
    )
    return drains_table(title, report.workloads)


def figures_of_workloads(report: Report) -> Iterator[Figure]:
    """Give those of what was measured."""
    kinds = ((CARELESS, WORKLOAD_LIMITS), (HOT, None))
    for kind, limits in kinds if report.workloads else ():
        rate = report.quotients(report.workloads, (kind, PLAIN), lambda run: run.rate_per_s)
        yield Figure(f"{kind} / {PLAIN}, rate", rate, limits)
        cpu = report.quotients(report.workloads, (PLAIN, kind), lambda run: run.cpu_us)
        yield Figure(f"{PLAIN} / {kind}, CPU", cpu, limits)


def show_scaling(report: Report, console: Console) -> None:
    """Print what a second worker brings, and what more processors would."""
    title = f"Requests sent at once to one worker and to two, on {cores()} processors"
    console.print(drains_table(title, report.scaling))
    per_s, kafkas = per_s_on_paper(report.scaling[TWO])
    console.print(
        f"On paper: {CORES_ON_PAPER} processors have the time for {per_s:,.0f} requests/s: Kafka "
        f"uses {kafkas * CORES_ON_PAPER:.1f} of them, {kafkas / (1 - kafkas):.0%} of what workers "
        "use; a worker uses little more than one.",
        soft_wrap=True,
    )


def figures_of_scaling(report: Report) -> Iterator[Figure]:
    """Give those of what was measured."""
    if report.scaling:
        rate = report.quotients(report.scaling, (TWO, ONE), lambda run: run.rate_per_s)
        yield Figure(f"{TWO} / {ONE}, rate", rate, SCALING_LIMITS)
        cpu = report.quotients(report.scaling, (ONE, TWO), lambda run: run.cpu_us)
        yield Figure(f"{ONE} / {TWO}, CPU", cpu)


def show_sized(sized: Sized, console: Console) -> None:
    """Print what a large state costs."""
    few, many = sized.few, sized.many
    runs = {f"{report.events:,} events": report.runs[ENGINE] for report in (few, many)}
    console.print(drains_table("The engine drains requests with few and many events", runs))
    console.print(
        f"Measured with {few.accounts:,} accounts, {few.requests:,} preloaded requests a round, "
        f"one Kafka each; {few.machine}.\n{DURABILITY}\n"
        f"Books: {few.books_checked} {many.books_checked}",
        soft_wrap=True,
    )
    if sized.disagreements:
        console.print(f"No ratio: {len(sized.disagreements)} disagreements, of which")
        for line in sized.disagreements[:DISAGREEMENTS_SHOWN]:
            console.print(f"  {line}", soft_wrap=True, markup=False)
        return
    console.print(figures_table(figures_of_sizes(sized)))


def figures_of_sizes(sized: Sized) -> Iterator[Figure]:
    """Give those of what was measured."""
    if not sized.disagreements:
        rate = sized.ratios(lambda run: run.rate_per_s)
        yield Figure("many events / few events, rate", rate, SIZE_LIMITS)
        cpu = sized.ratios(lambda run: 1 / run.cpu_us)
        yield Figure("few events / many events, CPU", cpu, SIZE_LIMITS)


def _figures(run: Drained) -> Sequence[str]:
    figures = (
        run.rate_per_s,
        run.seconds * 1000,
        run.own_cpu_us,
        run.broker_cpu_us,
        run.memory_mb,
    )
    return [f"{round(figure):,}" for figure in figures]

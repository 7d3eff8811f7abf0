"""Prints how long requests waited for their results, and what is asked of it."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from tools.bench.figures import Figure, Limits
from tools.bench.latency import BESIDE_REST_PER_S, OTHERS_PER_S, PER_S, REST, TOPIC
from tools.bench.report import ENGINE, Report, Runs
from tools.bench.restart import PER_S as RESTART_PER_S
from tools.bench.waits import Waits
from tools.bench.workloads import HOT, PLAIN

KAFKA_STREAMS = "Kafka Streams"
LATENCY_LIMITS, RESTART_LIMITS = Limits(1.5, 3, 5), Limits(0.5, 1, 2)
WAYS_LIMITS = Limits(3, 2, 1.5, is_most=True)


def show_waits(report: Report, console: Console) -> None:
    """Print a table for each thing that was measured."""
    if report.latency:
        title = f"Request to result, {PER_S} requests/s due, seen by a reader of committed records"
        console.print(_waits(title, report.latency))
    if report.ways:
        title = f"Request to result of an idle worker beside REST, {BESIDE_REST_PER_S} requests/s"
        console.print(_waits(title, report.ways))
    if report.beside_hot:
        title = (
            f"Request to result, {OTHERS_PER_S} requests/s due of all accounts; and beside one hot "
            "account, which asks for as many again: those in other partitions than its own"
        )
        console.print(_waits(title, report.beside_hot))
    if report.restarts:
        console.print(_restarts(report))


def figures_of_waits(report: Report) -> Iterator[Figure]:
    """Give those of what was measured."""
    if KAFKA_STREAMS in report.latency:
        of = (KAFKA_STREAMS, ENGINE)
        p99 = report.quotients(report.latency, of, lambda run: run.p99_ms)
        yield Figure(f"Kafka Streams / engine, p99 at {PER_S}/s", p99, LATENCY_LIMITS)
    if report.ways:
        p50 = report.quotients(report.ways, (REST, TOPIC), lambda run: run.p50_ms)
        yield Figure(f"REST / topic, p50 at {BESIDE_REST_PER_S}/s", p50, WAYS_LIMITS)
    if report.beside_hot:
        p99 = report.quotients(report.beside_hot, (HOT, PLAIN), lambda run: run.p99_ms)
        yield Figure(f"others beside {HOT} / without it, p99", p99)
    if KAFKA_STREAMS in report.restarts:
        of = (KAFKA_STREAMS, ENGINE)
        first = report.quotients(report.restarts, of, lambda run: run.first_s)
        yield Figure("Kafka Streams / engine, kill to new result", first, RESTART_LIMITS)


def _waits(title: str, runs: Runs[Waits]) -> Table:
    table = Table(title=title, caption="ms from when a request was due, so waiting counts")
    table.add_column("round")
    table.add_column("what")
    for column in ("requests", "p50 ms", "p99 ms", "p99.9 ms", "max ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for what, measured in runs.items():
        for number, run in enumerate(measured, 1):
            figures = (run.p50_ms, run.p99_ms, run.p999_ms, run.max_ms)
            cells = (f"{figure:.1f}" for figure in figures)
            table.add_row(str(number), what, f"{run.requests:,}", *cells)
    return table


def _restarts(report: Report) -> Table:
    table = Table(
        title=f"Killed and started again at once, {RESTART_PER_S} requests/s due",
        caption="s from the kill to the first result of a request that was due after it",
    )
    table.add_column("round")
    table.add_column("what")
    for column in ("first s", "in every partition s"):
        table.add_column(column, justify="right", no_wrap=True)
    for what, runs in report.restarts.items():
        for number, run in enumerate(runs, 1):
            table.add_row(str(number), what, f"{run.first_s:.2f}", f"{run.everywhere_s:.2f}")
    return table

"""Prints what was measured of batches."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from tools.bench.batching import SINGLES_PER_S, Batched, Course
from tools.bench.figures import Figure, Limits, figures_table

BATCH_LIMITS, DRY_RUN_LIMITS_PER_S = Limits(0.6), Limits(5_000)
BESIDE_LIMITS = Limits(3, is_most=True)
DISAGREEMENTS_SHOWN = 10


def show_batched(batched: Batched, console: Console) -> None:
    """Print the tables, and what is asked of each figure beside it."""
    console.print(_courses(batched), _beside(batched))
    if batched.disagreements:
        console.print(f"No ratio: {len(batched.disagreements)} disagreements, of which")
        for line in batched.disagreements[:DISAGREEMENTS_SHOWN]:
            console.print(f"  {line}", soft_wrap=True, markup=False)
    else:
        console.print(figures_table(figures_of_batches(batched)))
    console.print(
        f"Measured with {batched.accounts:,} accounts, {batched.events:,} chargeable events, one "
        f"worker, one REST process; {batched.machine}. Books: {batched.books_checked}, "
        f"{len(batched.disagreements)} disagreements.",
        soft_wrap=True,
    )


def figures_of_batches(batched: Batched) -> Iterator[Figure]:
    """Give those of what was measured; none if the books do not agree."""
    if batched.ratio is not None:
        yield Figure("batch / the same requests preloaded, rate", [batched.ratio], BATCH_LIMITS)
        yield Figure("dry run, items/s", [batched.dry_run.per_s], DRY_RUN_LIMITS_PER_S)
        alone, *others = batched.singles
        for each in others:
            ratio = each.p99_ms / alone.p99_ms
            yield Figure(f"POST beside {each.beside} / alone, p99", [ratio], BESIDE_LIMITS)


def _courses(batched: Batched) -> Table:
    table = Table(
        title="Batches, REST projecting beside, from POST (or ready) to the last result",
        caption="one run of each, the batch always before the same requests; CPU is processor "
        "time an item, in µs",
    )
    table.add_column("what")
    for column in ("items", "s", "items/s", "engine CPU", "REST CPU", "Kafka CPU"):
        table.add_column(column, justify="right", no_wrap=True)
    for what, course in (
        ("a batch", batched.batch),
        ("the same requests preloaded", batched.preloaded),
        ("a dry run", batched.dry_run),
    ):
        table.add_row(what, *_of_course(course))
    return table


def _of_course(course: Course) -> Sequence[str]:
    used_s = (course.worker_cpu_s, course.api_cpu_s, course.kafka_cpu_s)
    spent_us = (f"{spent / course.items * 1e6:,.0f}" for spent in used_s)
    return [f"{course.items:,}", f"{course.seconds:.1f}", f"{course.per_s:,.0f}", *spent_us]


def _beside(batched: Batched) -> Table:
    table = Table(
        title=f"POST to result, {SINGLES_PER_S} single requests/s due",
        caption="ms from when a request was due, so waiting counts",
    )
    table.add_column("beside")
    for column in ("calls", "p50 ms", "p99 ms", "max ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in batched.singles:
        table.add_row(
            each.beside,
            str(each.calls),
            f"{each.p50_ms:.1f}",
            f"{each.p99_ms:.1f}",
            f"{each.max_ms:.1f}",
        )
    return table

"""Prints what was measured, on what, and a ratio only where the books agree."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from tools.bench.batch_table import figures_of_batches, show_batched
from tools.bench.drains_table import (
    DISAGREEMENTS_SHOWN,
    drains_table,
    figures_of_scaling,
    figures_of_sizes,
    figures_of_workloads,
    show_scaling,
    show_sized,
    workloads_table,
)
from tools.bench.figures import MISSED, Figure, Limits, figures_table, marked
from tools.bench.machine import DURABILITY
from tools.bench.reads import SEARCHES_PER_S, Reads
from tools.bench.report import Report
from tools.bench.subscribing import Subscribed
from tools.bench.waits_table import KAFKA_STREAMS, figures_of_waits, show_waits

POST_LIMITS_MS = Limits(30, is_most=True)
PROJECTED_LIMITS_PER_S = Limits(10_000)
ADJUSTED_LIMITS_PER_S, PLAIN_LIMITS = Limits(3_000), Limits(0.3)
MEMORY_LIMITS = {KAFKA_STREAMS: Limits(2, 4, 6)}


def show(report: Report, console: Console) -> None:
    """Print the tables of what was measured, and what they stand on."""
    if report.reads:
        _show_reads(report.reads, console)
    if report.subscribed:
        _show_subscribed(report.subscribed, console)
    if report.batched:
        show_batched(report.batched, console)
    if report.books_checked:
        _show_engine(report, console)
    if report.contest:
        _show_engine(report.contest, console)
    if report.sized:
        show_sized(report.sized, console)


def verdict(report: Report) -> list[str]:
    """Tell how many gates are met, and then what is against it."""
    asked = [each for each in _figures_of(report) if each.limits]
    missed = [each for each in asked if each.reached == MISSED]
    told = [f"{MISSED}: {each.of}: {each}, asked is {each.limits}" for each in missed]
    if count := len(report.all_disagreements):
        told.append(f"{count} disagreements in the books, where no figures are given")
    return [f"{len(asked) - len(missed)} of {len(asked)} gates are met.", *told]


def _figures_of(report: Report) -> Iterator[Figure]:
    """Give those of all parts whose books agree."""
    if report.reads:
        yield from _figures_of_reads(report.reads)
        yield from _figures_of_searches(report.reads)
    if report.subscribed:
        yield from _figures_of_subscribers(report.subscribed)
    if report.batched:
        yield from figures_of_batches(report.batched)
    yield from _figures_of_engine(report)
    if report.contest:
        yield from _figures_of_engine(report.contest)
    if report.sized:
        yield from figures_of_sizes(report.sized)


def _show_engine(report: Report, console: Console) -> None:
    if report.runs:
        console.print(_rates(report))
    if report.post:
        console.print(
            f"POST to result, idle, {report.post.calls} calls one after the other: "
            f"p50 {report.post.p50_ms} ms, p99 {report.post.p99_ms} ms.",
            soft_wrap=True,
        )
    show_waits(report, console)
    if report.workloads:
        console.print(workloads_table(report))
    if report.scaling:
        show_scaling(report, console)
    preloaded = f"{report.requests} preloaded requests a round, " if report.runs else ""
    console.print(
        f"Measured with {report.accounts} accounts, {report.events} chargeable events, "
        f"{preloaded}{report.partitions} partitions, "
        f"compression {report.compression} for both; {report.machine}.\n{DURABILITY}",
        soft_wrap=True,
    )
    console.print(f"Books: {report.books_checked}", soft_wrap=True)
    for line in report.left_out:
        console.print(line, soft_wrap=True, markup=False)
    if report.disagreements:
        console.print(f"No ratio: {len(report.disagreements)} disagreements, of which")
        for line in report.disagreements[:DISAGREEMENTS_SHOWN]:
            console.print(f"  {line}", soft_wrap=True, markup=False)
        return
    if figures := [*_figures_of_engine(report)]:
        console.print(figures_table(figures))


def _figures_of_engine(report: Report) -> Iterator[Figure]:
    if report.disagreements:
        return
    for peer in report.peers:
        limits = report.limits.get(peer)
        yield Figure(
            f"engine / {peer}, rate", report.ratios(peer, lambda run: run.rate_per_s), limits
        )
        yield Figure(
            f"{peer} / engine, CPU", report.ratios(peer, lambda run: 1 / run.cpu_us), limits
        )
        memory = report.ratios(peer, lambda run: 1 / max(run.memory_mb, 1))
        yield Figure(f"{peer} / engine, memory", memory, MEMORY_LIMITS.get(peer))
    if report.post:
        yield Figure("POST to result, idle, p50 ms", [report.post.p50_ms], POST_LIMITS_MS)
    for of in (figures_of_waits, figures_of_workloads, figures_of_scaling):
        yield from of(report)


def _show_reads(reads: Reads, console: Console) -> None:
    charges, projected, searched = reads.charges, reads.projected, reads.searched
    console.print(_searches(reads))
    console.print(
        f"Projection, without Kafka: {projected.rated:,} accounts and events at "
        f"{projected.rated_per_s:,.0f}/s; then {projected.adjusted:,} business transactions of "
        f"{charges.adjustments:,} adjustments of random events at "
        f"{projected.adjusted_per_s:,.0f}/s.",
        soft_wrap=True,
    )
    console.print(figures_table(_figures_of_reads(reads)))
    own_ms = max(each.own_cpu_ms for each in searched)
    late_ms = max(each.late_p99_ms for each in searched)
    console.print(
        f"Measured with {charges.accounts:,} accounts, {charges.events:,} chargeable events; "
        f"{reads.machine}. The caller shares the processors: at most {own_ms:.1f} ms of them a "
        f"search, which it sent at most {late_ms:.1f} ms late (p99 of the worst kind).",
        soft_wrap=True,
    )


def _figures_of_reads(reads: Reads) -> Iterator[Figure]:
    per_s = reads.projected.adjusted_per_s
    yield Figure("projection of adjustments, records/s", [per_s], PROJECTED_LIMITS_PER_S)


def _figures_of_searches(reads: Reads) -> Iterator[Figure]:
    for each in reads.searched:
        yield Figure(f"search by {each.kind.name}, p99 ms", [each.p99_ms], each.kind.p99_limits_ms)


def _searches(reads: Reads) -> Table:
    table = Table(
        title=f"Searching chargeable events, first page, {SEARCHES_PER_S} searches/s due",
        caption="ms from when a search was due, so waiting counts; CPU ms is REST's, a search",
    )
    table.add_column("by", no_wrap=True)
    for column in ("/s", "p50 ms", "p99 ms", "asked", "met", "max ms", "found", "CPU ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for each, figure in zip(reads.searched, _figures_of_searches(reads), strict=True):
        table.add_row(
            each.kind.name,
            f"{each.per_s:.0f}",
            f"{each.p50_ms:.1f}",
            f"{each.p99_ms:.1f}",
            str(figure.limits or ""),
            marked(figure.reached),
            f"{each.max_ms:.1f}",
            f"{each.found:.1f}",
            f"{each.api_cpu_ms:.1f}",
        )
    return table


def _show_subscribed(subscribed: Subscribed, console: Console) -> None:
    charges, (plain, *_) = subscribed.charges, subscribed.rated
    table = Table(title="Catching up with business transactions, one process each")
    agrees = not subscribed.disagreements
    for column in ("of", "who", "records/s", "of a plain read", "CPU µs a record"):
        table.add_column(column, justify="left" if column in {"of", "who"} else "right")
    for of, runs in (("events as rated", subscribed.rated), ("adjustments", subscribed.adjusted)):
        for run in runs:
            ratio = f"{run.per_s / plain.per_s:.2f}" if agrees else ""
            cpu_us = f"{run.cpu_s / run.records * 1e6:.0f}"
            table.add_row(of, run.what, f"{run.per_s:,.0f}", ratio, cpu_us)
    console.print(table)
    if agrees:
        console.print(figures_table(_figures_of_subscribers(subscribed)))
    console.print(
        "Finance is on SQLite; an adjustment is two images with journal and totals, of a random "
        "event. A plain read is with the warehouse's library.\n"
        f"Measured with {charges.accounts:,} accounts, {charges.events:,} chargeable events, "
        f"{charges.adjustments:,} adjustments; {subscribed.machine}.\n"
        f"Rows compared with the topic: {len(subscribed.disagreements)} disagreements.",
        soft_wrap=True,
    )
    for line in subscribed.disagreements[:DISAGREEMENTS_SHOWN]:
        console.print(f"  {line}", soft_wrap=True, markup=False)


def _figures_of_subscribers(subscribed: Subscribed) -> Iterator[Figure]:
    if subscribed.disagreements:
        return
    (plain, _, dwh), (finance, *_) = subscribed.rated, subscribed.adjusted
    yield Figure("Finance, adjustments/s", [finance.per_s / 2], ADJUSTED_LIMITS_PER_S)
    yield Figure("warehouse / plain read, records/s", [dwh.per_s / plain.per_s], PLAIN_LIMITS)


def _rates(report: Report) -> Table:
    warm_up = f"from when {report.warm_up_share:.0%} were answered"
    begins = warm_up if report.warm_up_share else "from ready"
    title = f"Draining preloaded requests, one process each, {begins} to the last"
    return drains_table(title, report.runs)

"""Prints what was measured, on what, and a ratio only where the books agree."""

from statistics import median

from rich.console import Console
from rich.table import Table

from tools.bench.batch_table import show_batched
from tools.bench.drains_table import (
    DISAGREEMENTS_SHOWN,
    drains_table,
    ratios_of_scaling,
    ratios_of_workloads,
    show_scaling,
    show_sized,
    workloads_table,
)
from tools.bench.machine import DURABILITY, machine
from tools.bench.ratios import Ratio, ratios_table, spread
from tools.bench.reads import SEARCHES_PER_S, Reads
from tools.bench.report import Report
from tools.bench.subscribing import Subscribed
from tools.bench.waits_table import ratios_of_waits, show_waits

POST_GATE_MS = 30
PROJECTED_GATE_PER_S = 10_000
ADJUSTED_GATE_PER_S, PLAIN_GATE = 3_000, 0.3


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


def _show_engine(report: Report, console: Console) -> None:
    if report.runs:
        console.print(_rates(report))
    if report.post:
        console.print(
            f"POST to result, idle, {report.post.calls} calls one after the other: "
            f"p50 {report.post.p50_ms} ms, p99 {report.post.p99_ms} ms "
            f"(p50 at most {POST_GATE_MS} ms is asked for).",
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
        f"compression {report.compression} for both; {machine()}.\n{DURABILITY}",
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
    if report.runs:
        console.print(_ratios(report))
    if ratios := _ratios_beside(report):
        console.print(ratios_table(ratios))


def _ratios_beside(report: Report) -> list[Ratio]:
    of = (ratios_of_waits, ratios_of_workloads, ratios_of_scaling)
    return [ratio for ratios in of for ratio in ratios(report)]


def _show_reads(reads: Reads, console: Console) -> None:
    charges, projected, searched = reads.charges, reads.projected, reads.searched
    console.print(_searches(reads))
    console.print(
        f"Projection, without Kafka: {projected.rated:,} accounts and events at "
        f"{projected.rated_per_s:,.0f}/s; then {projected.adjusted:,} business transactions of "
        f"{charges.adjustments:,} adjustments of random events at {projected.adjusted_per_s:,.0f}/s"
        f" (at least {PROJECTED_GATE_PER_S:,}/s is asked for).",
        soft_wrap=True,
    )
    own_ms = max(each.own_cpu_ms for each in searched)
    late_ms = max(each.late_p99_ms for each in searched)
    console.print(
        f"Measured with {charges.accounts:,} accounts, {charges.events:,} chargeable events; "
        f"{machine()}. The caller shares the processors: at most {own_ms:.1f} ms of them a "
        f"search, which it sent at most {late_ms:.1f} ms late (p99 of the worst kind).",
        soft_wrap=True,
    )


def _searches(reads: Reads) -> Table:
    table = Table(
        title=f"Searching chargeable events, first page, {SEARCHES_PER_S} searches/s due",
        caption="ms from when a search was due, so waiting counts; CPU ms is REST's, a search",
    )
    table.add_column("by", no_wrap=True)
    for column in ("a second", "p50 ms", "p99 ms", "asked", "max ms", "found", "CPU ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in reads.searched:
        table.add_row(
            each.kind.name,
            f"{each.per_s:.0f}",
            f"{each.p50_ms:.1f}",
            f"{each.p99_ms:.1f}",
            str(each.kind.p99_gate_ms or ""),
            f"{each.max_ms:.1f}",
            f"{each.found:.1f}",
            f"{each.api_cpu_ms:.1f}",
        )
    return table


def _show_subscribed(subscribed: Subscribed, console: Console) -> None:
    charges, (plain, _, dwh) = subscribed.charges, subscribed.rated
    table = Table(title="Catching up with business transactions, one process each")
    for column in ("of", "who", "records/s", "of a plain read", "CPU µs a record"):
        table.add_column(column, justify="left" if column in {"of", "who"} else "right")
    for of, runs in (("events as rated", subscribed.rated), ("adjustments", subscribed.adjusted)):
        for run in runs:
            ratio = f"{run.per_s / plain.per_s:.2f}"
            cpu_us = f"{run.cpu_s / run.records * 1e6:.0f}"
            table.add_row(of, run.what, f"{run.per_s:,.0f}", ratio, cpu_us)
    console.print(table)
    adjustments_per_s = subscribed.adjusted[0].per_s / 2
    console.print(
        f"Finance on SQLite: {adjustments_per_s:,.0f} adjustments/s of random events, each two "
        f"images with journal and totals (at least {ADJUSTED_GATE_PER_S:,}/s is asked for). "
        f"Warehouse: {dwh.per_s / plain.per_s:.2f} of a plain read with the same library "
        f"(at least {PLAIN_GATE} is asked for).\n"
        f"Measured with {charges.accounts:,} accounts, {charges.events:,} chargeable events, "
        f"{charges.adjustments:,} adjustments; {machine()}.\n"
        f"Rows compared with the topic: {len(subscribed.disagreements)} disagreements.",
        soft_wrap=True,
    )
    for line in subscribed.disagreements[:DISAGREEMENTS_SHOWN]:
        console.print(f"  {line}", soft_wrap=True, markup=False)


def _rates(report: Report) -> Table:
    warm_up = f"from when {report.warm_up_share:.0%} were answered"
    begins = warm_up if report.warm_up_share else "from ready"
    title = f"Draining preloaded requests, one process each, {begins} to the last"
    return drains_table(title, report.runs)


def _ratios(report: Report) -> Table:
    table = Table(
        title="Engine / peer, in the same round: median (lowest to highest)",
        caption="CPU and memory the other way round; CPU is that of the program and of Kafka",
    )
    table.add_column("peer")
    for column in ("rate", "gate, target", "CPU", "memory"):
        table.add_column(column, justify="right")
    for peer in report.peers:
        table.add_row(
            peer,
            spread(report.ratios(peer, lambda run: run.rate_per_s)),
            ", ".join(map(str, report.limits.get(peer, ()))),
            spread(report.ratios(peer, lambda run: 1 / run.cpu_us)),
            f"{median(report.ratios(peer, lambda run: 1 / max(run.memory_mb, 1))):.2f}",
        )
    return table

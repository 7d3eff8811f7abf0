"""Writes what was measured as a page of the documentation: the terminal's tables, and a chart."""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from statistics import median

from rich.console import Console

from streams.delivery.unit import KEPT_MAX
from tools.bench.asked import command_of, lacking_parts
from tools.bench.machine import machine
from tools.bench.peers.field import SLOW_S
from tools.bench.peers.own_inputs import ACCOUNTS, EVENTS_PER_ACCOUNT
from tools.bench.report import Report
from tools.bench.table import show, verdict

WIDTH = 100

_HEAD = """# Performance

Written by `{command}` on {date}; {machine}.
{lacking}Measure your own: no figure here means anything beside one that was taken elsewhere.

- One Kafka on the same machine serves all who are measured. In each round they drain requests one
  after the other, another one first each time; a ratio is of two runs of one round, and what is
  shown is the median of the rounds with the lowest and the highest.
- The engine, Kafka Streams and the pass-through drain the same requests. Quix Streams and Faust are
  slow and have inputs of their own, to their advantage: {own_accounts} accounts with
  {own_events} chargeable events each, and as many requests as they drain in {slow_s:.0f} s.
- The engine keeps rows of accounts in memory, up to {kept_max:,} a partition: all, where there are
  fewer. Other rows it reads from RocksDB; Kafka Streams has no cache of accounts, and reads those
  from there as well.
- Processor time is what the operating system charges to the process itself and to Kafka.
- A ratio is shown only if the books agree: every request has one result, every charge adds up, and
  the results of Kafka Streams are the engine's, byte for byte.
- At a steady rate each request has a time at which it is due, fixed beforehand; its wait counts
  from then until a reader of committed records, or the caller of REST, has its result. The first
  ones, for which programs warm up, do not count. All have their default settings.
- Who is killed is killed with -9 while requests come in, and started again at once; all are static
  members of their groups, with sessions of 6 s.
- Batches, searches and subscribers run once, a batch always before the same requests preloaded:
  such a figure has no spread, and what comes later finds more in the stores.
- Few and many events are on two Kafkas, one of which waits while the other is measured.
- The peers: Kafka Streams with `exactly_once_v2`, its Processor API and RocksDB, on one thread;
  Quix Streams with exactly-once; Faust as its manual shows it, at least once; and a pass-through
  with librdkafka, which decides nothing and keeps nothing.
"""


def page_of(report: Report, asked: argparse.Namespace) -> str:
    """Give the page, in Markdown."""
    met, *against = verdict(report)
    listed = "".join(f"\n- {each}" for each in against)
    parts = [_head(asked), f"## Gates\n\n{met}\n{listed}\n"]
    if report.contest and report.contest.peers and not report.contest.disagreements:
        parts.append(_chart(_medians(report.contest)))
    shown = Console(file=StringIO(), width=WIDTH)
    show(report, shown)
    assert isinstance(shown.file, StringIO)
    lines = "\n".join(line.rstrip() for line in shown.file.getvalue().splitlines())
    parts.append(f"## Figures\n\n```text\n{lines}\n```\n")
    return "\n".join(parts)


def write_page(report: Report, asked: argparse.Namespace, path: Path) -> None:
    """Replace the page. Raises OSError."""
    path.write_text(page_of(report, asked), encoding="utf-8")


def _head(asked: argparse.Namespace) -> str:
    lacking = ", ".join(lacking_parts(asked))
    return _HEAD.format(
        command=command_of(asked),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine(),
        own_accounts=ACCOUNTS,
        own_events=EVENTS_PER_ACCOUNT,
        slow_s=SLOW_S,
        kept_max=KEPT_MAX,
        lacking=f"Parts that were not measured: {lacking}.\n" if lacking else "",
    )


def _medians(contest: Report) -> Mapping[str, float]:
    """Processor time of each peer, as a multiple of the engine's."""
    return {
        peer: median(contest.ratios(peer, lambda run: 1 / run.cpu_us)) for peer in contest.peers
    }


def _chart(ratios: Mapping[str, float]) -> str:
    names = ", ".join(f'"{name}"' for name in ("engine", *ratios))
    bars = ", ".join(f"{ratio:.2f}" for ratio in (1.0, *ratios.values()))
    return (
        "## Processor time a request, program and Kafka, as a multiple of the engine's\n\n"
        "```mermaid\nxychart-beta\n"
        f"    x-axis [{names}]\n"
        '    y-axis "times the engine"\n'
        f"    bar [{bars}]\n```\n"
    )

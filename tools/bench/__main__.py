"""Measures subscribers, batches, searches, REST, and a worker beside its peers.

QUICK=1: smaller sizes, without what they say nothing of.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaException
from httpx import HTTPError
from rich.console import Console

from tools.bench.asked import (
    BATCHES,
    ENGINE_PART,
    LATENCY,
    PEERS,
    READS,
    REST_PART,
    RESTART,
    SCALING,
    SIZED,
    SUBSCRIBERS,
    WORKLOADS,
    read_arguments,
)
from tools.bench.batching import measure_batches
from tools.bench.charges import Charges
from tools.bench.errors import NotMeasuredError
from tools.bench.latency import measure_hot, measure_latency, measure_rest
from tools.bench.loaded import Bench
from tools.bench.page import write_page
from tools.bench.peers.field import Peer
from tools.bench.peers.kinds import PassThrough, kafka_streams
from tools.bench.peers.maven import PeerUnavailableError
from tools.bench.peers.own_inputs import Faust, Quix
from tools.bench.reads import measure_reads
from tools.bench.report import Report
from tools.bench.restart import measure_restarts
from tools.bench.scaling import measure_scaling
from tools.bench.sizes import Sizes, measure_sizes
from tools.bench.subscribing import measure_subscribers
from tools.bench.system import running_system
from tools.bench.table import show, verdict
from tools.bench.workloads import measure_workloads
from tools.kafka.errors import EmbeddedKafkaError
from tools.workers import EndedError

WARM_UP_SHARE = 1 / 3  # beside a JVM, which compiles while it works
OTHERS: dict[str, Callable[[], Peer]] = {
    "Kafka Streams": kafka_streams,
    "Quix Streams": Quix,
    "Faust": Faust,
}
OF_ENGINE, OF_CONTEST = {ENGINE_PART, REST_PART, WORKLOADS, SCALING}, {PEERS, LATENCY, RESTART}
SLOW = {"Quix Streams", "Faust"}
FAILURES = (  # of what is measured; anything else is a mistake of the bench
    *(EmbeddedKafkaError, KafkaException, HTTPError),
    *(EndedError, NotMeasuredError, TimeoutError),
)


def main() -> int:
    """Give the exit code: 0 if the books agree."""
    asked, console = read_arguments(), Console()
    report = Report(asked.accounts, asked.events, asked.requests)
    if not has_measured(partial(_measure, asked, report, console), console):
        return 1
    show(report, console)
    met, *against = verdict(report)
    console.print(met, style="bold")
    for line in against:
        console.print(line, style="bold red", soft_wrap=True, markup=False)
    if asked.page:
        write_page(report, asked, asked.page)
    return 1 if report.all_disagreements else 0


def has_measured(measure: Callable[[], None], console: Console) -> bool:
    """Measure, or tell in a line why that failed."""
    try:
        measure()
    except FAILURES as problem:
        console.print(str(problem), style="red", soft_wrap=True, markup=False)
        return False
    return True


def _measure(asked: argparse.Namespace, report: Report, console: Console) -> None:
    """Measure what is asked for, each part on a system of its own where it needs one."""
    for_long = not asked.is_quick
    charges = Charges(asked.search_events, asked.search_accounts, asked.search_adjustments)
    if SUBSCRIBERS in asked.parts:
        with running_system(for_long=for_long) as system:
            report.subscribed = measure_subscribers(system, charges, console)
    if BATCHES in asked.parts:
        sizes = (asked.batch_items, asked.batch_accounts, asked.batch_seconds)
        with running_system(for_long=for_long) as system:
            report.batched = measure_batches(system, *sizes, console)
    if {READS, *OF_ENGINE} & {*asked.parts}:
        with running_system(for_long=for_long) as system:
            if READS in asked.parts:  # first of all, as long as the topics are empty
                report.reads = measure_reads(system, charges, asked.search_seconds, console)
            if OF_ENGINE & {*asked.parts}:
                _measure_engine(asked, Bench(system, report, [PassThrough()], console))
    if OF_CONTEST & {*asked.parts}:
        report.contest = _contest(asked, console)
    if SIZED in asked.parts:
        states = Sizes(asked.accounts, asked.few_events, asked.many_events, asked.size_requests)
        report.sized = measure_sizes(states, asked.size_rounds, console, for_long=for_long)


def _measure_engine(asked: argparse.Namespace, bench: Bench) -> None:
    """Measure the engine alone, and what reads as it does."""
    bench.load()
    if ENGINE_PART in asked.parts:
        bench.drain(asked.rounds)
        bench.call_rest(asked.calls)
    if REST_PART in asked.parts:
        measure_rest(bench, asked.paced_rounds, asked.paced_seconds)
    if WORKLOADS in asked.parts:
        measure_workloads(bench, asked.workload_rounds, asked.workload_requests)
        measure_hot(bench, asked.paced_rounds, asked.paced_seconds)
    if SCALING in asked.parts:
        measure_scaling(bench, asked.workload_rounds, asked.scaling_requests)
    bench.check_books()


def _contest(asked: argparse.Namespace, console: Console) -> Report:
    """Measure the engine beside all peers that this machine can run."""
    report = Report(asked.accounts, asked.peer_events, asked.peer_requests)
    peers = _peers(asked, report, console)
    report.warm_up_share = WARM_UP_SHARE
    report.limits = {peer.name: peer.limits for peer in peers}
    with running_system(for_long=not asked.is_quick) as system:
        bench = Bench(system, report, peers, console)
        bench.load()
        if PEERS in asked.parts:
            bench.drain(asked.peer_rounds)
        if LATENCY in asked.parts:
            measure_latency(bench, asked.paced_rounds, asked.paced_seconds)
        if RESTART in asked.parts:
            measure_restarts(bench, asked.paced_rounds)
        bench.check_books()
    return report


def _peers(asked: argparse.Namespace, report: Report, console: Console) -> list[Peer]:
    """Give those that this machine can run, and that are not too slow for what is asked."""
    drains = PEERS in asked.parts
    peers: list[Peer] = [PassThrough()] if drains else []
    for name, make in OTHERS.items():
        if name in SLOW and not drains:
            continue
        if name in SLOW and asked.is_quick:
            report.left_out.append(f"{name} is too slow to be measured quickly.")
            continue
        console.print(f"preparing {name}, which takes a minute the first time", style="dim")
        try:
            peers.append(make())
        except PeerUnavailableError as lacking:
            report.left_out.append(str(lacking))
            console.print(str(lacking), style="yellow", markup=False)
    return peers


if __name__ == "__main__":
    sys.exit(main())

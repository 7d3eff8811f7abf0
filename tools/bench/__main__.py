"""Measures subscribers, batches, searches, REST, and a worker beside its peers.

QUICK=1: a tenth of it.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from tools.bench.batching import USAGE_TYPES, measure_batches
from tools.bench.charges import Charges
from tools.bench.drain import Drained, Meter, drained
from tools.bench.page import write_page
from tools.bench.peers.field import Field, Peer, Round
from tools.bench.peers.kinds import PassThrough, kafka_streams
from tools.bench.peers.maven import PeerUnavailableError
from tools.bench.peers.own_inputs import Faust, Quix
from tools.bench.reads import measure_reads
from tools.bench.rest import WARM_UP, is_ready, latency, post_each
from tools.bench.subscribing import measure_subscribers
from tools.bench.system import System, running_system
from tools.bench.table import ENGINE, Report, show
from tools.kafka.errors import EmbeddedKafkaError
from tools.kafka.ports import free_ports
from tools.load import Population, send_all
from tools.verify.memory import Acknowledged
from tools.verify.topics import REQUESTS, RESULTS, TRANSACTIONS
from tools.verify.whole import Beside, verify_cluster
from tools.waiting import wait_until
from tools.workers import READY

LOAD_MAX_S = 600.0
QUICK_PART, QUICK_SECONDS_PART = 10, 4
READS, SUBSCRIBERS, BATCHES, PEERS = "reads", "subscribers", "batches", "peers"
WARM_UP_SHARE = 1 / 3  # beside a JVM, which compiles while it works
SLOW_S = 30  # for so long a slow peer drains
OTHERS: dict[str, Callable[[], Peer]] = {
    "Kafka Streams": kafka_streams,
    "Quix Streams": Quix,
    "Faust": Faust,
}
SLOW = {"Quix Streams", "Faust"}


class Bench:
    """One run of engine and peers, on a system of its own."""

    def __init__(
        self,
        system: System,
        report: Report,
        peers: Sequence[Peer],
        console: Console,
    ) -> None:
        """Begin with nothing loaded."""
        self.system, self.report, self.console = system, report, console
        self.peers = peers
        self.meter = Meter(system.options, system.kafka)
        self.population = Population(report.accounts, report.events // report.accounts)
        self.field = Field(system, self.meter, self.population)
        self.acknowledged: list[tuple[str, str]] = []

    def run(self, rounds: int, calls: int = 0) -> None:
        """Load, drain in rounds, call REST so many times, check the books."""
        self.load()
        for number in range(1, rounds + 1):
            self.drain_all(number)
        if calls:
            self.call_rest(calls)
        self.check_books()

    def load(self) -> None:
        """Let the engine, and then each peer, take over all accounts and chargeable events."""
        report, field = self.report, self.field
        self._say(f"loading {report.accounts} accounts, {report.events} events")
        send_all(self.system.options, self.population.account_records())
        send_all(self.system.options, self.population.event_records())
        expected = report.accounts + report.events
        with self.system.worker() as worker:
            self.meter.watch(
                TRANSACTIONS,
                worker,
                lambda: self.meter.records(TRANSACTIONS) == expected,
            )
        field.partitions = report.partitions = len(self.meter.ends(REQUESTS))
        field.compression = report.compression = self.system.compression()
        for peer in self.peers:
            self._say(f"loading {peer.name}")
            peer.load(field)

    def drain_all(self, number: int) -> None:
        """Give all the same new requests, one after the other, with another one first each time."""
        starts = self.meter.ends(REQUESTS)
        self._say(f"round {number}: {self.report.requests} requests")
        records = self.population.request_records(self.report.requests, f"bench:{number}")
        self.acknowledged += send_all(self.system.options, records)
        report = self.report
        given = Round(number, report.requests, starts, report.warm_up_share, report.slow_s)
        names = [ENGINE, *(peer.name for peer in self.peers)]
        drains = [self.drain_by_engine, *(partial(peer.drain, self.field) for peer in self.peers)]
        first = (number - 1) % len(drains)  # the engine in the first: pass-through takes samples
        for place in (*range(first, len(drains)), *range(first)):
            run = drains[place](given)
            self.report.runs[names[place]].append(run)
            self._say(f"  {names[place]}: {run.rate_per_s:,.0f} requests/s")

    def drain_by_engine(self, given: Round) -> Drained:
        """Start a worker and watch its results."""
        expected = len(self.acknowledged)
        with self.system.worker() as worker:
            ready, last = self.meter.watch(
                RESULTS,
                worker,
                lambda: self.meter.records(RESULTS) == expected,
                started=READY,
                warm_up=int(given.requests * given.warm_up_share),
            )
        return drained(ready, last, given.requests)

    def call_rest(self, calls: int) -> None:
        """POST one request after the other on the idle system."""
        self._say(f"{calls} calls of POST /v1/adjustments")
        (port,) = free_ports(0)
        requests = list(self.population.request_records(calls + WARM_UP, "bench:rest"))
        with self.system.worker() as worker, self.system.rest(port) as rest:
            worker.wait_for(READY, LOAD_MAX_S)
            wait_until(lambda: is_ready(port) or rest.has_ended_well, "REST is ready", LOAD_MAX_S)
            self.report.post = latency(post_each(port, requests))
        self.acknowledged += [(each.account, each.request_id) for each in requests]

    def check_books(self) -> None:
        """Read everything back and see that each request was decided once, each charge adds up."""
        self._say("checking the books, which takes minutes for so many")
        start = time.monotonic()
        acknowledged = Acknowledged(lambda: self.acknowledged)
        findings = verify_cluster(self.system.options, Beside(acknowledged=acknowledged))
        self.report.disagreements = findings.lines
        for peer in self.peers:
            self.report.disagreements += peer.disagreements(self.field)
        totals = findings.totals
        self.report.books_checked = (
            f"{totals['requests']} requests, {totals['results']} results, "
            f"{totals['chargeable events']} chargeable events re-added in "
            f"{time.monotonic() - start:.0f} s, {findings.disagreements} disagreements."
        )

    def _say(self, line: str) -> None:
        self.console.print(line, style="dim", highlight=False)


def main() -> int:
    """Give the exit code: 0 if the books agree."""
    asked = _arguments()
    is_quick = os.environ.get("QUICK", "0") not in {"", "0"}
    part, seconds_part = (QUICK_PART, QUICK_SECONDS_PART) if is_quick else (1, 1)
    report = Report(asked.accounts // part, asked.events // part, asked.requests // part)
    console = Console()
    try:
        if asked.only in {None, SUBSCRIBERS}:
            with running_system() as system:
                report.subscribed = measure_subscribers(system, _charges(asked, part), console)
        if asked.only in {None, BATCHES}:
            sizes = (asked.batch_items // part, asked.batch_accounts // part)
            seconds = asked.batch_seconds // seconds_part
            with running_system() as system:
                report.batched = measure_batches(system, *sizes, seconds, console)
        with running_system() as system:
            if asked.only in {None, READS}:  # first of all, as long as the topics are empty
                seconds = asked.search_seconds // seconds_part
                report.reads = measure_reads(system, _charges(asked, part), seconds, console)
            if asked.only in {None, ENGINE}:
                Bench(system, report, [PassThrough()], console).run(asked.rounds, asked.calls)
        if asked.only in {None, PEERS}:
            report.contest = _contest(asked, part, console)
    except (EmbeddedKafkaError, RuntimeError, TimeoutError, LookupError) as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    show(report, console)
    if asked.page:
        write_page(report, asked.page)
    measured = (report, report.subscribed, report.batched, report.contest)
    return 1 if any(part and part.disagreements for part in measured) else 0


def _contest(asked: argparse.Namespace, part: int, console: Console) -> Report:
    """Measure the engine beside all peers that this machine can run."""
    report = Report(asked.accounts // part, asked.peer_events // part, asked.peer_requests // part)
    peers: list[Peer] = [PassThrough()]
    for name, make in OTHERS.items():
        if part > 1 and name in SLOW:
            report.left_out.append(f"{name} is too slow to be measured quickly.")
            continue
        console.print(f"preparing {name}, which takes a minute the first time", style="dim")
        try:
            peers.append(make())
        except PeerUnavailableError as lacking:
            report.left_out.append(str(lacking))
            console.print(str(lacking), style="yellow", markup=False)
    report.warm_up_share, report.slow_s = WARM_UP_SHARE, SLOW_S / part
    report.limits = {peer.name: peer.limits for peer in peers}
    with running_system() as system:
        Bench(system, report, peers, console).run(1 if part > 1 else asked.peer_rounds)
    return report


def _charges(asked: argparse.Namespace, part: int) -> Charges:
    sizes = (asked.search_events, asked.search_accounts, asked.search_adjustments)
    return Charges(*(size // part for size in sizes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    for name, default, meaning in (
        ("accounts", 10_000, "accounts"),
        ("events", 100_000, "chargeable events on them"),
        ("requests", 200_000, "preloaded requests a round"),
        ("rounds", 2, "rounds of engine and peer"),
        ("calls", 200, "calls of POST"),
        ("peer-events", 1_000_000, "chargeable events beside the peers"),
        ("peer-requests", 300_000, "preloaded requests a round beside the peers"),
        ("peer-rounds", 3, "rounds of engine and all peers"),
        ("search-events", 1_000_000, "chargeable events that are searched"),
        ("search-accounts", 50_000, "accounts of those"),
        ("search-adjustments", 100_000, "adjustments of those, two business transactions each"),
        ("search-seconds", 20, "seconds for which each kind of search is made"),
        ("batch-items", 1_000_000, "chargeable events that a batch adjusts; a dry run has a tenth"),
        ("batch-accounts", 10_000, "accounts of those"),
        ("batch-seconds", 20, "seconds of single requests beside nothing"),
    ):
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{meaning} (default %(default)s)"
        )
    parser.add_argument(
        "--only",
        choices=(READS, SUBSCRIBERS, BATCHES, ENGINE, PEERS),
        help="one part alone",
    )
    parser.add_argument("--page", type=Path, help="Markdown file to write the figures to")
    asked = parser.parse_args()
    if asked.batch_items < len(USAGE_TYPES) * asked.batch_accounts:
        parser.error(f"--batch-items: at least {len(USAGE_TYPES)} for each of --batch-accounts")
    return asked


if __name__ == "__main__":
    sys.exit(main())

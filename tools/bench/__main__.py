"""Measures subscribers, batches, searches, a worker beside librdkafka, and REST.

QUICK=1: a tenth of it.
"""

import argparse
import os
import sys
import time
from functools import partial

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from rich.console import Console

from tools.bench.batching import measure_batches
from tools.bench.charges import Charges
from tools.bench.drain import Drained, Meter, drained
from tools.bench.passthrough import PEER_RESULTS, PEER_TRANSACTIONS
from tools.bench.processes import Part
from tools.bench.reads import measure_reads
from tools.bench.rest import WARM_UP, is_ready, latency, post_each
from tools.bench.subscribing import measure_subscribers
from tools.bench.system import System, running_system
from tools.bench.table import Report, show
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
READS, SUBSCRIBERS, BATCHES, ENGINE = "reads", "subscribers", "batches", "engine"


class Bench:
    """One run of everything, on a system of its own."""

    def __init__(self, system: System, report: Report, calls: int, console: Console) -> None:
        """Begin with nothing loaded."""
        self.system, self.report, self.calls, self.console = system, report, calls, console
        self.meter = Meter(system.options, system.kafka)
        self.population = Population(report.accounts, report.events // report.accounts)
        self.acknowledged: list[tuple[str, str]] = []

    def run(self, rounds: int) -> None:
        """Load, drain in rounds, call REST, check the books."""
        self.load()
        for number in range(1, rounds + 1):
            self.drain_both(number)
        self.call_rest()
        self.check_books()

    def load(self) -> None:
        """Let the engine take over all accounts and chargeable events."""
        self._say(f"loading {self.report.accounts} accounts, {self.report.events} events")
        send_all(self.system.options, self.population.account_records())
        send_all(self.system.options, self.population.event_records())
        expected = self.report.accounts + self.report.events
        with self.system.worker() as worker:
            self.meter.watch(
                TRANSACTIONS,
                worker,
                lambda: self.meter.records(TRANSACTIONS) == expected,
            )

    def drain_both(self, number: int) -> None:
        """Give both the same new requests, with another one first in every second round."""
        starts = self.meter.ends(REQUESTS)
        self._say(f"round {number}: {self.report.requests} requests")
        records = self.population.request_records(self.report.requests, f"bench:{number}")
        self.acknowledged += send_all(self.system.options, records)
        self.report.partitions = len(starts)
        is_peer_first = number % 2 == 0  # the first round gives the peer its samples
        if is_peer_first:
            self.report.peer.append(self.drain_by_peer(starts))
        self.report.engine.append(self.drain_by_engine())
        if not is_peer_first:
            self.report.peer.append(self.drain_by_peer(starts))

    def drain_by_engine(self) -> Drained:
        """Start a worker and watch its results."""
        expected = len(self.acknowledged)
        with self.system.worker() as worker:
            ready, last = self.meter.watch(
                RESULTS,
                worker,
                lambda: self.meter.records(RESULTS) == expected,
                started=READY,
            )
        return self._told("engine", drained(ready, last, self.report.requests))

    def drain_by_peer(self, starts: dict[int, int]) -> Drained:
        """Start the peer and watch its results."""
        self.report.compression = self.system.compression()
        self._make_peer_topics()
        with self._peer(starts) as peer:
            ready, last = self.meter.watch(
                PEER_RESULTS,
                peer,
                lambda: "peer done" in peer.text,
                started="peer ready",
            )
        return self._told("peer", drained(ready, last, self.report.requests))

    def call_rest(self) -> None:
        """POST one request after the other on the idle system."""
        self._say(f"{self.calls} calls of POST /v1/adjustments")
        (port,) = free_ports(0)
        requests = list(self.population.request_records(self.calls + WARM_UP, "bench:rest"))
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
        totals = findings.totals
        self.report.books_checked = (
            f"{totals['requests']} requests, {totals['results']} results, "
            f"{totals['chargeable events']} chargeable events re-added in "
            f"{time.monotonic() - start:.0f} s, {findings.disagreements} disagreements."
        )

    def _peer(self, starts: dict[int, int]) -> Part:
        return Part(
            "tools.bench.passthrough",
            self.system.home,
            {},
            *("--bootstrap", self.system.bootstrap),
            *("--count", str(self.report.requests)),
            *("--compression", self.report.compression),
            *("--starts", ",".join(f"{each}:{at}" for each, at in starts.items())),
        )

    def _make_peer_topics(self) -> None:
        if self.report.peer:
            return
        topics = [
            NewTopic(name, self.report.partitions, 1) for name in (PEER_RESULTS, PEER_TRANSACTIONS)
        ]
        admin = AdminClient({**self.system.options})
        for made in admin.create_topics(topics).values():
            made.result()
        for name in (PEER_RESULTS, PEER_TRANSACTIONS):
            wait_until(partial(self.meter.is_led, name), f"{name} has leaders", 30)

    def _told(self, what: str, run: Drained) -> Drained:
        self._say(f"  {what}: {run.rate_per_s:,.0f} requests/s")
        return run

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
                Bench(system, report, asked.calls, console).run(asked.rounds)
    except (EmbeddedKafkaError, RuntimeError, TimeoutError, LookupError) as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    show(report, console)
    measured = (report, report.subscribed, report.batched)
    return 1 if any(part and part.disagreements for part in measured) else 0


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
        "--only", choices=(READS, SUBSCRIBERS, BATCHES, ENGINE), help="one part alone"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

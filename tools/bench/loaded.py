"""Measures the engine beside peers on a system that all of them were loaded from."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from rich.console import Console

from tools.bench.contestant import Contestant, rotated
from tools.bench.drain import Drained, Meter, drained
from tools.bench.machine import machine_now
from tools.bench.paced import Paced
from tools.bench.peers.field import Field, Peer, Round
from tools.bench.peers.kinds import KafkaStreams
from tools.bench.report import ENGINE, Report
from tools.bench.rest import WARM_UP, is_ready, latency, post_each
from tools.bench.system import System
from tools.kafka.ports import free_ports
from tools.load import Outgoing, Population, send_all
from tools.verify.memory import Acknowledged
from tools.verify.topics import REQUESTS, RESULTS, TRANSACTIONS
from tools.verify.whole import Beside, verify_cluster
from tools.waiting import wait_until
from tools.workers import READY

LOAD_MAX_S = 3600.0  # of ten million events
REQUESTS_MAX = 1 << 40


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
        self.meter = Meter(system.options, system.kafka, LOAD_MAX_S)
        self.population = Population(report.accounts, report.events // report.accounts)
        report.events = self.population.events  # as many for each account
        self.field = Field(system, self.meter, self.population)
        self.asked = 0  # requests that must have a result, repeats and malformed ones included
        self.acknowledged: list[tuple[str, str]] = []
        self.requests = self.population.request_records(REQUESTS_MAX, user="bench:paced")

    def load(self) -> None:
        """Let the engine, and then each peer, take over all accounts and chargeable events."""
        report, field = self.report, self.field
        self.say(f"loading {report.accounts} accounts, {report.events} events")
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
            self.say(f"loading {peer.name}")
            peer.load(field)

    def contestants(self) -> list[Contestant]:
        """Give the engine, and those of the peers that read its own requests and answer them."""
        engine = Contestant(
            name=ENGINE,
            results=RESULTS,
            ready=READY,
            start=self.system.worker,
            is_through=self.is_decided,
        )
        peers = (peer for peer in self.peers if isinstance(peer, KafkaStreams))
        return [engine, *(peer.contestant(self.field) for peer in peers)]

    def paced(self, results: str, per_s: int, requests: Iterator[Outgoing] | None = None) -> Paced:
        """Prepare to send requests at this rate, new ones for ever if none are given.

        Their results are seen in this topic.
        """
        starts = self.meter.ends(results)
        return Paced(self.system.options, (results, starts), requests or self.requests, per_s)

    def send(self, records: Iterable[Outgoing]) -> None:
        """Send these requests, each of which must have a result."""
        sent = list(records)
        self.note(send_all(self.system.options, sent), len(sent))

    def note(self, acknowledged: Sequence[tuple[str, str]], asked: int) -> None:
        """Note that so many requests were sent, and which of them the books must have."""
        self.acknowledged += acknowledged
        self.asked += asked

    def drain(self, rounds: int) -> None:
        """Let all drain the same new requests in each round."""
        for number in range(1, rounds + 1):
            self.drain_all(number)

    def drain_all(self, number: int) -> None:
        """Give all the same new requests, one after the other, with another one first each time."""
        report, starts = self.report, self.meter.ends(REQUESTS)
        self.say(f"round {number}: {report.requests} requests, {report.events} events")
        self.send(self.population.request_records(report.requests, f"bench:{number}"))
        given = Round(number, report.requests, starts, report.warm_up_share)
        drains: list[tuple[str, Callable[[Round], Drained]]] = [
            (ENGINE, lambda given: self.drain_by_engine(given.requests)),
            *((peer.name, partial(peer.drain, self.field)) for peer in self.peers),
        ]
        # The engine is the first in the first round: pass-through takes samples of its results.
        for name, drain in rotated(drains, number - 1):
            run = drain(given)
            report.runs[name].append(run)
            self.say(f"  {name}: {run.rate_per_s:,.0f} requests/s")

    def drain_by_engine(self, requests: int) -> Drained:
        """Start a worker and watch its results."""
        with self.system.worker() as worker:
            ready, last = self.meter.watch(
                RESULTS,
                worker,
                self.is_decided,
                started=READY,
                warm_up=int(requests * self.report.warm_up_share),
            )
        return drained(ready, last, requests)

    def is_decided(self) -> bool:
        """Whether the engine has written a result for each request."""
        return self.meter.records(RESULTS) == self.asked

    def call_rest(self, calls: int) -> None:
        """POST one request after the other on the idle system."""
        self.say(f"{calls} calls of POST /v1/adjustments")
        (port,) = free_ports(0)
        requests = list(self.population.request_records(calls + WARM_UP, "bench:rest"))
        with self.system.worker() as worker, self.system.rest(port) as rest:
            worker.wait_for(READY, LOAD_MAX_S)
            wait_until(lambda: is_ready(port) or rest.has_ended_well, "REST is ready", LOAD_MAX_S)
            self.report.post = latency(post_each(port, requests))
        self.note([(each.account, each.request_id) for each in requests], len(requests))

    def check_books(self) -> None:
        """Read everything back and see that each request was decided once, each charge adds up."""
        for who in self.contestants():
            if not who.is_through():  # the last requests were another one's
                with who.at_work():
                    pass
        self.report.machine = machine_now()
        self.say("checking the books, which takes minutes for so many")
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

    def say(self, line: str) -> None:
        """Tell what is going on."""
        self.console.print(line, style="dim", highlight=False)

"""Measures the read side: a large store is projected, then REST searches it."""

import time
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

from confluent_kafka.admin import AdminClient
from rich.console import Console

from tools.bench.calls import Call, call_at_rate
from tools.bench.charges import Charges
from tools.bench.machine import machine_now
from tools.bench.processes import Part
from tools.bench.queries import Kind, addresses, kinds
from tools.bench.read_model import Projected, fill
from tools.bench.rest import WARM_UP, is_ready
from tools.bench.searches import Searched, figures
from tools.bench.system import System
from tools.kafka.ports import free_ports
from tools.waiting import wait_until

SEARCHES_PER_S = 200
READY_MAX_S = 60.0
ASKED_S = 30.0


@dataclass(frozen=True)
class Reads:
    """All figures of the read side."""

    charges: Charges
    projected: Projected
    searched: list[Searched]
    machine: str = field(default_factory=machine_now)


def measure_reads(system: System, charges: Charges, seconds: float, console: Console) -> Reads:
    """Fill a store, then search it, each kind for so many seconds; the store is deleted again.

    The topics are still empty: REST takes the store for one that has read them to their ends.
    """
    _say(console, f"projecting {charges.events} events, {charges.adjustments} adjustments")
    cluster_id = str(AdminClient({**system.options}).list_topics(timeout=ASKED_S).cluster_id)
    with TemporaryDirectory(prefix="reads-", dir=system.home) as folder:
        url = f"sqlite:///{folder}/api.db"
        (port,) = free_ports(0)
        projected = fill(url, cluster_id, charges, console)
        with system.rest(port, read_model=url) as rest:
            wait_until(lambda: is_ready(port) or rest.has_ended_well, "REST is ready", READY_MAX_S)
            searched = []
            for kind in kinds(charges):
                searched.append(_search(port, rest, kind, seconds))
                _say(console, f"  {kind.name}: p99 {searched[-1].p99_ms:.1f} ms")
    return Reads(charges, projected, searched)


def _search(port: int, rest: Part, kind: Kind, seconds: float) -> Searched:
    """Search at the rate; a few before, for which statements are built, do not count."""
    call_at_rate(port, map(Call, addresses(kind, WARM_UP, seed=1)), SEARCHES_PER_S)
    searches = [Call(each) for each in addresses(kind, int(SEARCHES_PER_S * seconds), seed=2)]
    own_s, api_s = time.process_time(), rest.cpu_s
    answered = call_at_rate(port, searches, SEARCHES_PER_S)
    return figures(kind, answered, time.process_time() - own_s, rest.cpu_s - api_s)


def _say(console: Console, line: str) -> None:
    console.print(line, style="dim", highlight=False)

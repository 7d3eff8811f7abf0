"""Measures batches: one beside the same requests preloaded, a dry run, single requests beside."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import msgspec
from rich.console import Console

from api.batches.entries import Item, request_id_of
from api.batches.submission import request_of
from tools.bench.calls import HEAD_START_S, Answered, Call, call_at_rate, until
from tools.bench.drain import Meter
from tools.bench.errors import NotMeasuredError
from tools.bench.machine import machine_now
from tools.bench.processes import Part
from tools.bench.rest import WARM_UP, is_ready
from tools.bench.system import LOOPBACK, System
from tools.kafka.ports import free_ports
from tools.load import Outgoing, Population, send_all
from tools.verify.memory import Acknowledged
from tools.verify.topics import REQUESTS, RESULTS, TRANSACTIONS
from tools.verify.whole import Beside, verify_cluster
from tools.waiting import wait_until
from tools.workers import READY

PATH = "/v1/adjustment-batches"
USAGE_TYPES = tuple(f"TYPE_{number}" for number in range(10))
SINGLES_PER_S = 50
SINGLES_MAX = 1 << 30
LIMIT_S, LOOK_S = 3600.0, 0.25
USER = "bench"
ADJUSTMENT: dict[str, Any] = {
    "chargeType": "CREDIT",
    "chargeAdjustment": 10_000,
    "currency": "EUR",
    "taxIncluded": True,
    "reason": "INCORRECT_METERING",
}


@dataclass(frozen=True)
class Course:
    """So many items from one moment to another, and the processor time that they took."""

    items: int
    seconds: float
    worker_cpu_s: float = 0.0
    api_cpu_s: float = 0.0
    kafka_cpu_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Items a second."""
        return self.items / self.seconds


@dataclass(frozen=True)
class Singles:
    """How long single requests took, in milliseconds from when each was due to its result."""

    beside: str
    calls: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True)
class Batched:
    """All figures of batches."""

    accounts: int
    events: int
    batch: Course
    preloaded: Course
    dry_run: Course
    singles: list[Singles]  # beside nothing, then a dry run, then a batch
    books_checked: str
    disagreements: list[str]
    machine: str

    @property
    def ratio(self) -> float | None:
        """Batch / preloaded; nothing if the books do not agree."""
        return None if self.disagreements else self.batch.per_s / self.preloaded.per_s


def measure_batches(
    system: System, events: int, accounts: int, seconds: float, console: Console
) -> Batched:
    """Rate so many events, adjust a tenth of them and then all, and see what is beside them."""
    return _Bench(system, population_of(events, accounts), console).run(seconds)


def population_of(events: int, accounts: int) -> Population:
    """Give each account as many events of each type, and no more in all than so many."""
    of_each = events // (accounts * len(USAGE_TYPES))
    return Population(accounts, of_each * len(USAGE_TYPES), usage_types=USAGE_TYPES)


class _Bench:
    """One run on a system of its own."""

    def __init__(self, system: System, population: Population, console: Console) -> None:
        self._system, self._population, self._console = system, population, console
        self._events = population.events
        self._meter = Meter(system.options, system.kafka, LIMIT_S)
        (self._port,) = free_ports(0)
        address = f"http://{LOOPBACK}:{self._port}"
        self._client = httpx.Client(base_url=address, timeout=LIMIT_S, trust_env=False)
        self._requests = population.request_records(SINGLES_MAX, user="bench:beside")
        self._asked: list[Outgoing] = []
        self._results = 0
        self._disagreements: list[str] = []

    def run(self, seconds: float) -> Batched:
        """Load; single requests alone, beside a dry run and a batch; a batch; the same drained."""
        tenth, whole = {"usageType": USAGE_TYPES[0]}, {"kind": "USAGE"}
        with self._client, self._parts() as (worker, rest):
            self._load(worker)
            singles = [self._single_requests("nothing", partial(time.sleep, seconds))]
            dry_run = self._dry_run(rest, tenth)
            singles += [
                self._single_requests("a dry run", partial(self._post, "dry", tenth)),
                self._single_requests("a batch", partial(self._run_batch, "tenth", tenth)),
            ]
            batch = self._batch(worker, rest, whole)
        return Batched(
            accounts=self._population.accounts,
            events=self._events,
            batch=batch,
            preloaded=self._preloaded(),
            machine=machine_now(),
            dry_run=dry_run,
            singles=singles,
            books_checked=self._check_books(),
            disagreements=self._disagreements,
        )

    @contextmanager
    def _parts(self) -> Iterator[tuple[Part, Part]]:
        with self._system.worker() as worker, self._system.rest(self._port) as rest:
            yield worker, rest

    def _load(self, worker: Part) -> None:
        self._say(f"loading {self._population.accounts} accounts, {self._events} events")
        send_all(self._system.options, self._population.account_records())
        send_all(self._system.options, self._population.event_records())
        expected = self._population.accounts + self._events
        is_loaded = partial(self._has, TRANSACTIONS, expected)
        self._meter.watch(TRANSACTIONS, worker, is_loaded, READY)
        wait_until(partial(is_ready, self._port), "REST has read everything", LIMIT_S)

    def _single_requests(self, beside: str, wait: Callable[[], object]) -> Singles:
        """POST single requests, each when it is due, for as long as the other thing lasts."""
        self._say(f"single requests beside {beside}")
        call_at_rate(self._port, self._calls(WARM_UP), SINGLES_PER_S)
        with ThreadPoolExecutor(1) as pool:
            first_due = time.perf_counter() + HEAD_START_S
            waiting = pool.submit(_end_of, wait, first_due)
            calls = self._calls(SINGLES_MAX, waiting.done)
            answered = call_at_rate(self._port, calls, SINGLES_PER_S, first_due)
        return singles_of(beside, [each for each in answered if each.due < waiting.result()])

    def _calls(self, count: int, is_over: Callable[[], bool] = lambda: False) -> Iterator[Call]:
        for _ in takewhile(lambda _: not is_over(), range(count)):
            self._asked.append(request := next(self._requests))
            yield Call("/v1/adjustments", request.value)

    def _dry_run(self, rest: Part, asked: dict[str, str]) -> Course:
        self._say(f"a dry run of {self._events // len(USAGE_TYPES)} items")
        began, api_s = time.monotonic(), rest.cpu_s
        report = self._post("dry", asked)
        seconds = time.monotonic() - began
        return Course(report["matched"], seconds, api_cpu_s=rest.cpu_s - api_s)

    def _run_batch(self, name: str, asked: dict[str, str]) -> None:
        """Return when all its items are decided, and note whether all were applied.

        Raises TimeoutError.
        """
        self._post(name, asked)
        is_finished = partial(self._is_finished, name)
        wait_until(is_finished, f"the batch {name} is finished", LIMIT_S, LOOK_S)
        report = self._report(name)
        share = 1 if "kind" in asked else len(USAGE_TYPES)
        if not report["applied"] == report["matched"] == self._events // share:
            self._disagreements.append(f"A batch ended with a report that is wrong: {report}")
        self._results += report["matched"]

    def _is_finished(self, name: str) -> bool:
        return bool(self._report(name)["state"] == "FINISHED")

    def _report(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(f"{PATH}/{_id(name)}").raise_for_status().json()
        return found

    def _post(self, name: str, asked: dict[str, str]) -> dict[str, Any]:
        batch = {
            "batchId": _id(name),
            "user": "bench",
            "dryRun": name == "dry",
            "filter": asked,
            "adjustment": ADJUSTMENT,
        }
        report: dict[str, Any] = self._client.post(PATH, json=batch).raise_for_status().json()
        return report

    def _batch(self, worker: Part, rest: Part, asked: dict[str, str]) -> Course:
        self._say(f"a batch of {self._events} items")
        expected = self._results + len(self._asked) + self._events
        began, api_s = time.monotonic(), rest.cpu_s
        self._post("whole", asked)
        all_decided = partial(self._has, RESULTS, expected)
        first, last = self._meter.watch(RESULTS, worker, all_decided)
        course = Course(
            self._events,
            last.at_s - began,
            last.own_cpu_s - first.own_cpu_s,
            rest.cpu_s - api_s,
            last.broker_cpu_s - first.broker_cpu_s,
        )
        self._run_batch("whole", asked)
        return course

    def _preloaded(self) -> Course:
        """Send the same requests under other ids, and let worker and REST start on them."""
        self._say(f"the same {self._events} requests preloaded")
        send_all(self._system.options, map(self._request, self._population.places()))
        self._results += self._events
        all_decided = partial(self._has, RESULTS, self._results + len(self._asked))
        with self._parts() as (worker, rest):
            first, last = self._meter.watch(RESULTS, worker, all_decided, READY)
            return Course(
                self._events,
                last.at_s - first.at_s,
                last.own_cpu_s - first.own_cpu_s,
                rest.cpu_s,
                last.broker_cpu_s - first.broker_cpu_s,
            )

    def _request(self, place: tuple[str, str]) -> Outgoing:
        item, request_id = Item(*place), _request_id("preloaded", place)
        value = msgspec.json.encode(request_of(ADJUSTMENT, request_id, "bench", item))
        return Outgoing(REQUESTS, item.account, value, request_id)

    def _has(self, topic: str, records: int) -> bool:
        return self._meter.records(topic) == records

    def _check_books(self) -> str:
        self._say("checking the books, which takes minutes for so many")
        findings = verify_cluster(
            self._system.options, Beside(acknowledged=Acknowledged(self._all_asked))
        )
        self._disagreements += findings.lines
        totals = findings.totals
        return f"{totals['requests']} requests, {totals['results']} results"

    def _all_asked(self) -> Iterator[tuple[str, str]]:
        """Account and requestId of all that must have a result."""
        for name in ("whole", "preloaded"):
            for place in self._population.places():
                yield place[0], _request_id(name, place)
        for single in self._asked:
            yield single.account, single.request_id

    def _say(self, line: str) -> None:
        self._console.print(line, style="dim", highlight=False)


def singles_of(beside: str, answered: list[Answered]) -> Singles:
    """Work out the figures. Raises NotMeasuredError if no call was due meanwhile."""
    if not answered:
        raise NotMeasuredError(f"{beside} was over before a single request was due: ask for more.")
    waited = sorted((each.ended - each.due) * 1000 for each in answered)
    count = len(waited)
    return Singles(beside, count, waited[count // 2], waited[count * 99 // 100], waited[-1])


def _end_of(wait: Callable[[], object], first_due: float) -> float:
    """Begin when the first call is due, and give the moment of the end."""
    until(first_due)
    wait()
    return time.perf_counter()


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"bench/{name}"))


def _request_id(name: str, place: tuple[str, str]) -> str:
    return request_id_of(_id(name), Item(*place))

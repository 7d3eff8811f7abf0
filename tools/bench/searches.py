"""Searches chargeable events by HTTP at a steady rate, whether the answers keep up or not.

Each search has a time at which it is due, and its latency counts from there: a search that waits
behind others, here or there, is as slow as its caller would find it.
"""

import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tools.bench.queries import Kind
from tools.bench.system import LOOPBACK

CALLERS = 64  # connections; more searches than these are not under way at once
HEAD_START_S = 0.2
ITEM = b'"eventDate":'  # once in each event


class Answered(NamedTuple):
    """One search: seconds on one clock, and how many events it found."""

    due: float
    sent: float
    ended: float
    found: int


@dataclass(frozen=True)
class Searched:
    """The figures of one kind, times in milliseconds."""

    kind: Kind
    count: int
    per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    late_p99_ms: float  # how long after it was due a search was sent
    found: float  # events on a page, on the average
    own_cpu_ms: float  # a search, of this process
    api_cpu_ms: float


def search_at_rate(port: int, searched: list[str], per_s: int) -> list[Answered]:
    """Make each search when it is due. Raises RuntimeError for an answer that is no page."""
    began = time.perf_counter() + HEAD_START_S
    due = iter([(began + place / per_s, address) for place, address in enumerate(searched)])
    lock = threading.Lock()
    answered: list[Answered] = []
    faults: list[Exception] = []

    def call() -> None:
        try:
            answered.extend(list(_search_each(port, due, lock)))
        except (RuntimeError, OSError, http.client.HTTPException) as fault:
            faults.append(fault)

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    if faults:
        raise RuntimeError(str(faults[0])) from faults[0]
    return answered


def figures(kind: Kind, answered: list[Answered], own_cpu_s: float, api_cpu_s: float) -> Searched:
    """Work out the figures of all searches of one kind."""
    count = len(answered)
    waited = sorted(each.ended - each.due for each in answered)
    late = sorted(each.sent - each.due for each in answered)
    began = min(each.due for each in answered)
    return Searched(
        kind=kind,
        count=count,
        per_s=count / (max(each.ended for each in answered) - began),
        p50_ms=waited[count // 2] * 1000,
        p99_ms=waited[count * 99 // 100] * 1000,
        max_ms=waited[-1] * 1000,
        late_p99_ms=late[count * 99 // 100] * 1000,
        found=sum(each.found for each in answered) / count,
        own_cpu_ms=own_cpu_s / count * 1000,
        api_cpu_ms=api_cpu_s / count * 1000,
    )


def _search_each(
    port: int, searches: Iterator[tuple[float, str]], lock: threading.Lock
) -> Iterator[Answered]:
    """Take the next search, as the other callers do, until none is left."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    while True:
        with lock:
            due, address = next(searches, (0.0, ""))
        if not address:
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        sent = time.perf_counter()
        connection.request("GET", address)
        response = connection.getresponse()
        body = response.read()
        ended = time.perf_counter()
        if response.status != http.client.OK:
            raise RuntimeError(f"{address}: {response.status} {body[:500].decode()}")
        yield Answered(due, sent, ended, body.count(ITEM))
    connection.close()

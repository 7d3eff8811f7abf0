"""Calls REST at a steady rate, whether the answers keep up or not.

Each call has a time at which it is due, and its latency counts from there: a call that waits
behind others, here or there, is as slow as its caller would find it.
"""

import http.client
import threading
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tools.bench.errors import NotMeasuredError
from tools.bench.system import LOOPBACK

CALLERS = 64  # connections; more calls than these are not under way at once
HEAD_START_S, TIMEOUT_S = 0.2, 60
POSTED = {"content-type": "application/json", "prefer": "wait=30"}  # the longest REST takes
ITEM = b'"eventDate":'  # once in each event


class Call(NamedTuple):
    """A GET, or the POST of a body."""

    address: str
    body: bytes | None = None


class Answered(NamedTuple):
    """One call: seconds on one clock (`time.perf_counter`), and how many events were found."""

    due: float
    sent: float
    ended: float
    found: int


def call_at_rate(
    port: int, calls: Iterable[Call], per_s: int, first_due: float | None = None
) -> list[Answered]:
    """Make each call when it is due, the first soon; the next one is taken some seconds ahead.

    Raises NotMeasuredError for an answer that is neither a page nor an applied adjustment.
    """
    began = time.perf_counter() + HEAD_START_S if first_due is None else first_due
    due = ((began + place / per_s, call) for place, call in enumerate(calls))
    lock = threading.Lock()
    answered: list[Answered] = []
    faults: list[Exception] = []

    def call_some() -> None:
        try:
            answered.extend(list(_call_each(port, due, lock)))
        except (NotMeasuredError, OSError, http.client.HTTPException) as fault:
            faults.append(fault)

    callers = [threading.Thread(target=call_some) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    if faults:
        raise NotMeasuredError(str(faults[0])) from faults[0]
    return answered


def until(moment: float) -> None:
    """Go on at this moment, at once if it is past."""
    time.sleep(max(0.0, moment - time.perf_counter()))


def _call_each(
    port: int, due_calls: Iterator[tuple[float, Call]], lock: threading.Lock
) -> Iterator[Answered]:
    """Take the next call, as the other callers do, until none is left."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S)
    while True:
        with lock:
            taken = next(due_calls, None)
        if taken is None:
            break
        due, call = taken
        until(due)
        sent = time.perf_counter()
        expected = _send(connection, call)
        response = connection.getresponse()
        body = response.read()
        ended = time.perf_counter()
        if response.status != expected:
            said = body[:500].decode(errors="replace")
            raise NotMeasuredError(f"{call.address}: {response.status} {said}")
        yield Answered(due, sent, ended, body.count(ITEM))
    connection.close()


def _send(connection: http.client.HTTPConnection, call: Call) -> int:
    """Give the status that is expected."""
    if call.body is None:
        connection.request("GET", call.address)
        return http.client.OK
    connection.request("POST", call.address, call.body, POSTED)
    return http.client.CREATED

"""Measures how long a caller of REST waits for the result, one call after the other."""

import http.client
import time
from collections.abc import Iterable
from dataclasses import dataclass

from tools.bench.errors import NotMeasuredError
from tools.bench.system import LOOPBACK
from tools.load import Outgoing

WARM_UP = 20
CREATED = 201


@dataclass(frozen=True)
class Latency:
    """Milliseconds from POST to its result."""

    calls: int
    p50_ms: int
    p99_ms: int


def post_each(port: int, requests: Iterable[Outgoing]) -> list[float]:
    """POST each request and wait for its `201`; give the seconds each took."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    seconds = []
    for request in requests:
        start = time.perf_counter()
        connection.request(
            "POST", "/v1/adjustments", request.value, {"content-type": "application/json"}
        )
        response = connection.getresponse()
        body = response.read()
        seconds.append(time.perf_counter() - start)
        if response.status != CREATED:
            message = f"REST answered {response.status}: {body[:500].decode(errors='replace')}"
            raise NotMeasuredError(message)
    connection.close()
    return seconds


def latency(seconds: list[float]) -> Latency:
    """Work out the figures; the first calls, which open connections, do not count."""
    counted = sorted(seconds[WARM_UP:])
    return Latency(
        len(counted),
        round(counted[len(counted) // 2] * 1000),
        round(counted[len(counted) * 99 // 100] * 1000),
    )


def is_ready(port: int) -> bool:
    """Whether REST says that it is ready."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()

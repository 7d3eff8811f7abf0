"""Measures how long requests wait at a steady rate: of the engine and of a peer, by topic and REST.

At 500 requests a second and fewer there is little queueing, for all who are measured could do more
than ten times as many. The worker that has a hot account is to be busy: it gets 2,000.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from tools.bench.calls import Call, call_at_rate
from tools.bench.contestant import rotated
from tools.bench.loaded import REQUESTS_MAX, Bench
from tools.bench.rest import is_ready
from tools.bench.waits import Wait, Waits, waits_of
from tools.bench.workloads import HOT, HOT_SHARE, PLAIN, requests_of
from tools.kafka.ports import free_ports
from tools.load import Outgoing
from tools.verify.topics import RESULTS
from tools.waiting import wait_until

PER_S, BESIDE_REST_PER_S = 500, 200
OTHERS_PER_S = 1_000  # of other accounts than the hot one, which doubles it
WARM_UP_PART = 2  # it is warmed up for so long a part of the time for which it is measured
REST_READY_MAX_S = 600.0
TOPIC, REST = "topic", "REST"


def measure_latency(bench: Bench, rounds: int, seconds: float) -> None:
    """Give each contestant requests of its own at the rate, one after the other."""
    contestants = bench.contestants()
    for number in range(rounds):
        for who in rotated(contestants, number):
            bench.say(f"{who.name}, {PER_S} requests/s")
            with who.at_work():
                waits = waits_of(_paced(bench, who.results, PER_S, seconds, bench.requests))
            bench.report.latency[who.name].append(waits)
            bench.say(f"  p50 {waits.p50_ms:.1f} ms, p99 {waits.p99_ms:.1f} ms")


def measure_rest(bench: Bench, rounds: int, seconds: float) -> None:
    """Give the same idle worker and REST requests by topic and by POST, alternately."""
    (port,) = free_ports(0)
    engine, *_ = bench.contestants()
    with engine.at_work(), bench.system.rest(port) as rest:
        wait_until(lambda: is_ready(port) or rest.has_ended_well, "REST is ready", REST_READY_MAX_S)
        for number in range(rounds):
            for way in rotated((TOPIC, REST), number):
                bench.say(f"{BESIDE_REST_PER_S} requests/s by {way}")
                if way == TOPIC:
                    waits = waits_of(
                        _paced(bench, RESULTS, BESIDE_REST_PER_S, seconds, bench.requests)
                    )
                else:
                    waits = _posted(bench, port, seconds)
                bench.report.ways[way].append(waits)


def measure_hot(bench: Bench, rounds: int, seconds: float) -> None:
    """Give the engine requests of all accounts, and as many beside as many of one account.

    Of the latter those count that are in other partitions than the hot account's.
    """
    engine, *_ = bench.contestants()
    with engine.at_work():
        for number in range(rounds):
            for kind in rotated((PLAIN, HOT), number):
                per_s = OTHERS_PER_S if kind == PLAIN else int(OTHERS_PER_S / (1 - HOT_SHARE))
                bench.say(f"{per_s} requests/s, {kind}")
                requests = requests_of(kind, bench.population, REQUESTS_MAX, f"waits:{number}")
                waits = _paced(bench, RESULTS, per_s, seconds, requests)
                ((hot, _),) = Counter(wait.partition for wait in waits).most_common(1)
                others = [wait for wait in waits if kind == PLAIN or wait.partition != hot]
                bench.report.beside_hot[kind].append(waits_of(others))


def _paced(
    bench: Bench, results: str, per_s: int, seconds: float, requests: Iterator[Outgoing]
) -> list[Wait]:
    """Send to the topic; the first waits, for which everything warms up, do not count."""
    warm_up = int(seconds / WARM_UP_PART * per_s)
    sent = islice(requests, warm_up + int(per_s * seconds))
    with bench.paced(results, per_s, sent) as paced:
        waits = paced.finish()
    bench.note(paced.acknowledged, len(waits))
    return waits[warm_up:]


def _posted(bench: Bench, port: int, seconds: float) -> Waits:
    warm_up = int(seconds / WARM_UP_PART * BESIDE_REST_PER_S)
    requests = list(islice(bench.requests, warm_up + int(BESIDE_REST_PER_S * seconds)))
    calls = [Call("/v1/adjustments", request.value) for request in requests]
    answered = sorted(call_at_rate(port, calls, BESIDE_REST_PER_S))
    bench.note([(each.account, each.request_id) for each in requests], len(requests))
    return waits_of([Wait(each.due, each.ended) for each in answered[warm_up:]])

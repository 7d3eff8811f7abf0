"""Measures what a careless world costs: requests that come twice, are spoilt, or crowd together."""

import json
import random
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

from tools.bench.contestant import rotated
from tools.bench.loaded import Bench
from tools.load import DrawAccount, Outgoing, Population

REPEAT_SHARE, MALFORMED_SHARE, HOT_SHARE = 0.10, 0.01, 0.5
PLAIN, CARELESS, HOT = "plain", "careless", "one hot account"


def measure_workloads(bench: Bench, rounds: int, requests: int) -> None:
    """Let the engine drain as many requests of each kind in each round."""
    for number in range(1, rounds + 1):
        for kind in rotated((PLAIN, CARELESS, HOT), number - 1):
            bench.send(requests_of(kind, bench.population, requests, f"drained:{number}"))
            run = bench.drain_by_engine(requests)
            bench.report.workloads[kind].append(run)
            bench.say(f"round {number}, {kind}: {run.rate_per_s:,.0f} requests/s")


def requests_of(kind: str, population: Population, count: int, once: str) -> Iterator[Outgoing]:
    """Give the requests of one kind, others for each text."""
    user = f"bench:{kind}:{once}"
    if kind == CARELESS:
        return careless(population, count, user)
    draw_account = hot(population.accounts) if kind == HOT else None
    return population.request_records(count, user, draw_account)


def careless(population: Population, count: int, user: str) -> Iterator[Outgoing]:
    """Of accounts as by Zipf's law; one in ten comes again, one in a hundred is malformed."""
    draw = random.Random(user)  # noqa: S311 - a load, not a secret
    new = population.request_records(count, user, zipf(population.accounts))
    sent: list[Outgoing] = []
    for _ in range(count):
        place = draw.random()
        if sent and place < REPEAT_SHARE:
            yield draw.choice(sent)
        elif place < REPEAT_SHARE + MALFORMED_SHARE:
            yield _malformed(next(new))
        else:
            sent.append(next(new))
            yield sent[-1]


def zipf(accounts: int) -> DrawAccount:
    """Draw the n-th account with a probability in proportion to 1 / n."""
    bounds = list(accumulate(1 / place for place in range(1, accounts + 1)))
    return lambda draw: bisect(bounds, draw.random() * bounds[-1])


def hot(accounts: int) -> DrawAccount:
    """Draw one account half of the time, and else any."""

    def draw_account(draw: random.Random) -> int:
        is_hot = draw.random() < HOT_SHARE
        return accounts // 2 if is_hot else draw.randrange(accounts)

    return draw_account


def _malformed(outgoing: Outgoing) -> Outgoing:
    """Leave out what it needs; it is refused, and its requestId not remembered."""
    body = json.loads(outgoing.value)
    del body["currency"]
    return outgoing._replace(value=json.dumps(body).encode(), request_id="")

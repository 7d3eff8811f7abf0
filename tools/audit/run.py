"""Has a running engine decide requests of every sort, and judges whatever it published."""

import uuid
from collections.abc import Callable, Mapping

from tools.audit.population import Population
from tools.audit.report import Report, judge_all
from tools.audit.requests import Requests
from tools.audit.watch import Watch
from tools.load import send_all
from tools.verify.topics import REQUESTS, RESULTS, TRANSACTIONS

REQUESTS_OF_TEN_ACCOUNTS = 1_000
TENS_MIN = 2

Advance = Callable[[int], object]


def audit(
    options: Mapping[str, str], count: int, seed: int, advance: Advance = lambda _: None
) -> Report:
    """Send so many requests, wait for their results and judge them.

    Raises TimeoutError if the engine falls silent, LookupError if its topics are not there.
    """
    prefix = f"AUD-{uuid.uuid4().hex[:8]}"
    population = Population(prefix, max(TENS_MIN, count // REQUESTS_OF_TEN_ACCOUNTS))
    watch = Watch(options, (REQUESTS, RESULTS, TRANSACTIONS), prefix)
    upserts = list(population.upserts())
    send_all(options, upserts)
    watch.wait(TRANSACTIONS, len(upserts), lambda _: None)
    send_all(options, Requests(population, seed).records(count))
    watch.wait(RESULTS, count, advance)
    return judge_all(watch.records())

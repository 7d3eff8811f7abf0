"""Measures how fast business transactions become rows of the read model, without Kafka."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rich.console import Console
from rich.progress import track

from api.desk import TOPICS
from api.read_model import BATCH_MAX, CHECKPOINT_S
from api.records import enter_transaction
from api.rows import Progress, Rows
from api.store import Store
from tools.bench.charges import Charges


@dataclass(frozen=True)
class Projected:
    """Business transactions kept, and how many a second."""

    rated: int
    rated_per_s: float
    adjusted: int
    adjusted_per_s: float


def fill(url: str, cluster_id: str, charges: Charges, console: Console) -> Projected:
    """Project everything into a new store, which then is of this cluster."""
    store = Store(url)
    try:
        store.start_anew(cluster_id)
        rated, adjusted = charges.accounts + charges.events, 2 * charges.adjustments
        shown = track(charges.rated(), "projecting events", rated, console=console)
        rated_per_s = project(store, iter(shown))
        shown = track(charges.transactions(), "projecting adjustments", adjusted, console=console)
        adjusted_per_s = project(store, iter(shown))
        _keep_requests(store, charges)
    finally:
        store.close()
    return Projected(rated, rated_per_s, adjusted, adjusted_per_s)


def project(store: Store, records: Iterator[Any]) -> float:
    """Keep all records as the reader does; give how many a second, without their making."""
    seconds, count = 0.0, 0
    with _checkpoints(store):
        while batch := list(islice(records, BATCH_MAX)):
            began = time.perf_counter()
            rows = Rows()
            # The bench's Kafka has none of these records: there, reading stands at the beginning.
            rows.positions[TOPICS.transactions, 0] = Progress(0, 0)
            for record in batch:
                enter_transaction(rows, record)
            store.keep(rows)
            seconds += time.perf_counter() - began
            count += len(batch)
    began = time.perf_counter()
    store.checkpoint()  # what is left for later counts too
    seconds += time.perf_counter() - began
    return count / seconds


def _keep_requests(store: Store, charges: Charges) -> None:
    """Keep what the adjustments came of, so that an event is found by the id of its request."""
    told = charges.requests()
    while batch := list(islice(told, BATCH_MAX)):
        requests, answers = zip(*batch, strict=True)
        store.keep(Rows(requests=list(requests), answers=list(answers)))


@contextmanager
def _checkpoints(store: Store) -> Iterator[None]:
    """Put commits into the file beside the writer, as the reader does."""
    is_over = threading.Event()

    def put() -> None:
        while not is_over.wait(CHECKPOINT_S):
            store.checkpoint()

    putting = threading.Thread(target=put)
    putting.start()
    try:
        yield
    finally:
        is_over.set()
        putting.join()

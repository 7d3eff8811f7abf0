"""Sends requests steadily, as a careless world does: twice, late, out of order, and spoilt."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping

from confluent_kafka import Producer

from tools.audit.malformed import spoil
from tools.load import Outgoing, Population, Sender

REQUESTS = "adjustment-requests"
TWICE_SHARE, LATE_SHARE, BAD_SHARE = 0.15, 0.05, 0.01
AGAIN_SHARE = 0.15  # of the moments at which one of those that wait goes again
OVERSIZE_BYTES = 2_500_000
LARGE = {"message.max.bytes": "4000000", "compression.type": "snappy"}
ANY_PARTITIONER = {"partitioner": "consistent_random"}


class Load:
    """A thread that sends from `start` to `stop`, at a steady rate."""

    def __init__(
        self, options: Mapping[str, str], population: Population, rate_per_s: float, seed: str
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._population, self._interval_s = population, 1 / rate_per_s
        self._draw = random.Random(seed)  # noqa: S311 - a load, not a secret
        self._usual, self._stray = Sender(options), Sender({**options, **ANY_PARTITIONER})
        self._bad = Producer({**options, **LARGE})
        self._soon: list[Outgoing] = []
        self._late: list[Outgoing] = []
        self._lets_late_go = threading.Event()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    @property
    def acknowledged(self) -> list[tuple[str, str]]:
        """The (account, requestId) of each well-formed request that Kafka acknowledged."""
        return [*self._usual.acknowledged, *self._stray.acknowledged]

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def send_late_ones(self) -> None:
        """Send what was kept back, as a client does after a restart."""
        self._lets_late_go.set()

    def stop(self) -> None:
        """Send no more, and wait for all acknowledgements. Raises KafkaException, TimeoutError."""
        self._is_stopping.set()
        self._thread.join()
        self._usual.flush()
        self._stray.flush()
        self._bad.flush(10)

    def _run(self) -> None:
        due = time.monotonic()
        for outgoing in self._population.request_records(1 << 62, user="steady"):
            if self._is_stopping.wait(max(0.0, due - time.monotonic())):
                return
            due += self._interval_s
            self._send(outgoing)
            if self._lets_late_go.is_set():
                self._lets_late_go.clear()
                self._soon += self._late
                self._late.clear()

    def _send(self, outgoing: Outgoing) -> None:
        self._count("new", outgoing, self._usual)
        place = self._draw.random()
        if place < TWICE_SHARE:
            self._soon.append(outgoing)
        elif place < TWICE_SHARE + LATE_SHARE:
            self._late.append(outgoing)
        if self._soon and self._draw.random() < AGAIN_SHARE + LATE_SHARE:
            again = self._soon.pop(self._draw.randrange(len(self._soon)))
            self._count("sent again, late and in another order", again, self._usual)
        if self._draw.random() < BAD_SHARE:
            self._send_bad(outgoing)

    def _count(self, what: str, outgoing: Outgoing, sender: Sender) -> None:
        sender.send(outgoing)
        self.counts[what] += 1

    def _send_bad(self, like: Outgoing) -> None:
        what = self._draw.choice(("malformed", "oversize", "in a wrong partition"))
        if what == "in a wrong partition":
            # Another request: which of two records of one came first would be anybody's guess.
            body = json.loads(like.value) | {"requestId": _other(like.request_id)}
            moved = like._replace(value=json.dumps(body).encode(), request_id=body["requestId"])
            self._count(what, moved, self._stray)
            return
        value = self._malformed(like) if what == "malformed" else b" " * OVERSIZE_BYTES
        key = None if self._draw.random() < 0.1 else like.account  # noqa: PLR2004 - some
        self._bad.produce(REQUESTS, value, key)
        self._bad.poll(0)
        self.counts[what] += 1

    def _malformed(self, like: Outgoing) -> bytes:
        if self._draw.random() < 0.5:  # noqa: PLR2004 - a fair coin
            return self._draw.randbytes(self._draw.randrange(200))
        body = json.loads(like.value) | {"requestId": _other(like.request_id)}
        return json.dumps(spoil(body, self._draw)).encode()


def _other(request_id: str) -> str:
    """Another id of the same form."""
    return ("0" if request_id[0] != "0" else "1") + request_id[1:]

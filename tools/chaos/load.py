"""Sends requests and upserts steadily, as a careless world does: twice, late, and spoilt."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from confluent_kafka import KafkaException

from tools.audit.malformed import spoil
from tools.audit.population import Population
from tools.audit.requests import Requests
from tools.audit.shape import shape_faults
from tools.load import Outgoing, Sender
from tools.verify.topics import ACCOUNTS, REQUESTS

TWICE_SHARE, LATE_SHARE = 0.15, 0.05
BAD_SHARE, BAD_UPSERTS_SHARE = 0.01, 0.1
AGAIN_SHARE = 0.3  # of the moments at which one of those that wait goes again
NO_KEY_SHARE = 0.3
TENS = 20  # of accounts: few enough that each charge is adjusted many times
OVERSIZE_BYTES = 2_500_000
LARGE = {"message.max.bytes": "4000000"}
ANY_PARTITIONER = {"partitioner": "consistent_random"}


class Load:
    """A thread that sends from `start` to `stop`, at a steady rate."""

    def __init__(
        self,
        options: Mapping[str, str],
        rate_per_s: float,
        seed: str,
        connect: Callable[[Mapping[str, str]], Sender] = Sender,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._population, self._interval_s = Population("LOAD", TENS), 1 / rate_per_s
        self._draw = random.Random(seed)  # noqa: S311 - a load, not a secret
        self._usual, self._stray = connect(options), connect({**options, **ANY_PARTITIONER})
        self._large = connect({**options, **LARGE})
        self._soon: list[Outgoing] = []
        self._late: list[Outgoing] = []
        self._failures: list[str] = []
        self._lets_late_go = threading.Event()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    @property
    def acknowledged(self) -> list[tuple[str, str]]:
        """The (account, requestId) of each well-formed request that Kafka acknowledged."""
        return [*self._usual.acknowledged, *self._stray.acknowledged]

    @property
    def failures(self) -> list[str]:
        """Why this was not the load that was to be, in sentences; none if it was."""
        unsent = [error for sender in self._senders for error in sender.failed]
        if not unsent:
            return self._failures
        told = f"The load could not send {len(unsent)} records: {unsent[0].str()}."
        return [*self._failures, told]

    def first_records(self) -> Iterator[Outgoing]:
        """Accounts and chargeable events, to be sent before the start."""
        return self._population.upserts()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def send_late_ones(self) -> None:
        """Send what was kept back, as a client does after a restart."""
        self._lets_late_go.set()

    def stop(self) -> None:
        """Send no more, and wait for all acknowledgements. What does not come is a failure."""
        self._is_stopping.set()
        self._thread.join()
        for sender in self._senders:
            try:
                sender.flush()
            except TimeoutError as error:
                self._failures.append(f"The load was cut short: {error}")
            except KafkaException:
                continue  # the sender has noted it

    @property
    def _senders(self) -> tuple[Sender, ...]:
        return self._usual, self._stray, self._large

    def _run(self) -> None:
        try:
            self._send_until_stopped()
        except Exception as error:  # noqa: BLE001 - the round is told, and fails
            self._failures.append(f"The load ended too soon: {error!r}.")

    def _send_until_stopped(self) -> None:
        due = time.monotonic()
        for outgoing in Requests(self._population, self._draw.getrandbits(32)).records(1 << 62):
            if self._is_stopping.wait(max(0.0, due - time.monotonic())):
                return
            due += self._interval_s
            self._send(_awaited(outgoing))
            if self._lets_late_go.is_set():
                self._lets_late_go.clear()
                self._soon += self._late
                self._late.clear()

    def _send(self, outgoing: Outgoing) -> None:
        is_request = outgoing.topic == REQUESTS
        self._count("new" if is_request else "upserts", outgoing, self._usual)
        place = self._draw.random()
        if place < TWICE_SHARE:
            self._soon.append(outgoing)
        elif place < TWICE_SHARE + LATE_SHARE:
            self._late.append(outgoing)
        if self._soon and self._draw.random() < AGAIN_SHARE:
            again = self._soon.pop(self._draw.randrange(len(self._soon)))
            self._count("sent again, late and in another order", again, self._usual)
        if self._draw.random() < (BAD_SHARE if is_request else BAD_UPSERTS_SHARE):
            self._send_bad(outgoing)

    def _send_bad(self, like: Outgoing) -> None:
        what = self._draw.choice(("malformed", "oversize", "in a wrong partition"))
        other = _as_another(like)
        if what == "in a wrong partition":
            self._count(what, _awaited(other), self._stray)
            return
        value = self._malformed(other) if what == "malformed" else b" " * OVERSIZE_BYTES
        loses_key = like.topic != ACCOUNTS and self._draw.random() < NO_KEY_SHARE
        account = "" if loses_key else like.account  # Kafka takes none without where it compacts
        self._count(what, Outgoing(like.topic, account, value), self._large)

    def _malformed(self, like: Outgoing) -> bytes:
        if self._draw.random() < 0.5:  # noqa: PLR2004 - a fair coin
            return self._draw.randbytes(self._draw.randrange(200))
        return json.dumps(spoil(json.loads(like.value), self._draw)).encode()

    def _count(self, what: str, outgoing: Outgoing, sender: Sender) -> None:
        sender.send(outgoing)
        self.counts[what] += 1


def _awaited(outgoing: Outgoing) -> Outgoing:
    """Leave it its requestId only if the result of that will be remembered."""
    is_awaited = outgoing.request_id and not shape_faults(json.loads(outgoing.value))
    return outgoing if is_awaited else outgoing._replace(request_id="")


def _as_another(outgoing: Outgoing) -> Outgoing:
    """Another request of the same content, else which of two came first is anybody's guess."""
    if outgoing.topic != REQUESTS:
        return outgoing
    body = json.loads(outgoing.value)
    head, rest = body["requestId"][:1], body["requestId"][1:]
    body["requestId"] = ("0" if head != "0" else "1") + rest
    return outgoing._replace(value=json.dumps(body).encode(), request_id=body["requestId"])

"""Makes accounts, chargeable events and requests, the same for the same seed, and sends them."""

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

FLUSH_MAX_S = 60.0
RATE_BASIS_POINTS = 2100
EXCLUDED_MICRO, TAX_MICRO = 10_000_000, 2_100_000
CREDIT_MAX_MICRO = 10_000
DEBIT_SHARE = 0.2

DrawAccount = Callable[[random.Random], int]


class Outgoing(NamedTuple):
    """A record to send; `request_id` is empty for all but requests, `account` for no key."""

    topic: str
    account: str
    value: bytes
    request_id: str = ""


@dataclass(frozen=True)
class Population:
    """Accounts in euro, each with as many chargeable events of 12.10 EUR, of each type in turn."""

    accounts: int = 100
    events_per_account: int = 10
    seed: int = 1
    usage_types: tuple[str, ...] = ("DATA_ROAMING",)

    @property
    def events(self) -> int:
        """Count the chargeable events of all accounts."""
        return self.accounts * self.events_per_account

    def account_records(self) -> Iterator[Outgoing]:
        """One record for each account."""
        for number in range(self.accounts):
            ref_id = self._account(number)
            account = {
                "refId": ref_id,
                "externalId": f"CRM-{number}",
                "currency": "EUR",
                "state": "ACTIVE",
                "taxExempt": False,
                "billingInProgress": False,
            }
            yield Outgoing("accounts", ref_id, json.dumps(account).encode())

    def event_records(self) -> Iterator[Outgoing]:
        """One record for each chargeable event."""
        for number in range(self.accounts):
            for place in range(self.events_per_account):
                usage_type = self.usage_types[place % len(self.usage_types)]
                event = self._event(number, place)
                yield self._event_record(self._account(number), event, usage_type)

    def places(self) -> Iterator[tuple[str, str]]:
        """Account and refId of each chargeable event."""
        for number in range(self.accounts):
            for place in range(self.events_per_account):
                yield self._account(number), self._event(number, place)

    def request_records(
        self, count: int, user: str = "load", draw_account: DrawAccount | None = None
    ) -> Iterator[Outgoing]:
        """Small credits and debits of uniformly drawn events; `user` also varies the draw.

        `draw_account` gives the number of the account of each, where not all are alike.
        """
        draw = random.Random(f"{self.seed}/{user}")  # noqa: S311 - a load, not a secret
        for _ in range(count):
            number = draw_account(draw) if draw_account else draw.randrange(self.accounts)
            account = self._account(number)
            request_id = str(uuid.UUID(int=draw.getrandbits(128), version=4))
            request = {
                "requestId": request_id,
                "user": user,
                "account": {"refId": account},
                "chargeableEventRefId": self._event(
                    number, draw.randrange(self.events_per_account)
                ),
                "chargeType": "DEBIT" if draw.random() < DEBIT_SHARE else "CREDIT",
                "chargeAdjustment": draw.randint(1, CREDIT_MAX_MICRO),
                "currency": "EUR",
                "taxIncluded": draw.random() < 0.5,  # noqa: PLR2004 - a fair coin
                "reason": "INCORRECT_METERING",
            }
            yield Outgoing("adjustment-requests", account, json.dumps(request).encode(), request_id)

    def _account(self, number: int) -> str:
        return f"ACC-{number:07d}"

    def _event(self, number: int, place: int) -> str:
        return f"CE-{number:07d}-{place:03d}"

    def _event_record(self, account: str, event: str, usage_type: str) -> Outgoing:
        value = {
            "refId": event,
            "account": {"refId": account},
            "usageType": usage_type,
            "kind": "USAGE",
            "eventDate": "2026-11-03T14:21:09+01:00",
            "quantity": 734_003_200,
            "unitOfMeasure": "BYTE",
            "currency": "EUR",
            "original": {
                "taxExcludedAmount": EXCLUDED_MICRO,
                "taxAmount": TAX_MICRO,
                "taxIncludedAmount": EXCLUDED_MICRO + TAX_MICRO,
            },
            "tax": {"code": "VAT21", "rate": RATE_BASIS_POINTS},
            "glCode": "4000-ROAM",
            "status": "RATED",
            "billingPeriod": {
                "start": "2026-11-01T00:00:00+01:00",
                "end": "2026-12-01T00:00:00+01:00",
            },
            "invoiceRefId": None,
        }
        return Outgoing("chargeable-events", account, json.dumps(value).encode())


class Sender:
    """A producer that notes which requests the broker acknowledged, as (account, requestId)."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """Connect with confluent-kafka's options; without one, the partitioner of the contract."""
        self.acknowledged: list[tuple[str, str]] = []
        self.failed: list[KafkaError] = []
        self._producer = Producer(
            {
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "snappy",
                "queue.buffering.max.messages": 500_000,
                **options,
            }
        )

    def send(self, outgoing: Outgoing) -> None:
        """Send one record without waiting for its acknowledgement."""
        note = partial(self._note, outgoing.account, outgoing.request_id)
        while True:
            try:
                self._producer.produce(
                    outgoing.topic, outgoing.value, outgoing.account or None, on_delivery=note
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                break
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until everything sent is acknowledged. Raises KafkaException for what was not."""
        left = self._producer.flush(FLUSH_MAX_S)
        if self.failed:
            raise KafkaException(self.failed[0])
        if left:
            message = f"Kafka did not acknowledge {left} records within {FLUSH_MAX_S:.0f} s."
            raise TimeoutError(message)

    def _note(
        self, account: str, request_id: str, error: KafkaError | None, _message: Message
    ) -> None:
        if error is not None:
            self.failed.append(error)
        elif request_id:
            self.acknowledged.append((account, request_id))


def send_all(options: Mapping[str, str], records: Iterable[Outgoing]) -> list[tuple[str, str]]:
    """Send these records as fast as it goes; give the acknowledged (account, requestId)."""
    sender = Sender(options)
    for outgoing in records:
        sender.send(outgoing)
    sender.flush()
    return sender.acknowledged


class SteadyLoad:
    """Sends requests at a fixed rate in a thread of its own, from `with` until `stop`.

    Arrivals are fixed beforehand: a stall is made up for, not forgotten. A share of the requests
    is sent a second time, some time later.
    """

    def __init__(
        self,
        options: Mapping[str, str],
        population: Population,
        rate_per_s: float,
        repeat_share: float = 0.0,
    ) -> None:
        """Prepare the load; nothing is sent before `start`."""
        self._sender = Sender(options)
        self._population = population
        self._interval_s = 1 / rate_per_s
        self._repeat_share = repeat_share
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="steady-load", daemon=True)

    @property
    def acknowledged(self) -> list[tuple[str, str]]:
        """The acknowledged (account, requestId) so far, repeats included."""
        return list(self._sender.acknowledged)

    def start(self) -> Self:
        """Begin to send."""
        self._thread.start()
        return self

    def stop(self) -> list[tuple[str, str]]:
        """Send no more, wait for all acknowledgements and give them. Safe to call twice."""
        self._stopping.set()
        self._thread.join()
        self._sender.flush()
        return self.acknowledged

    def __enter__(self) -> Self:
        """Begin to send."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, whatever happened."""
        self.stop()

    def _run(self) -> None:
        draw = random.Random(self._population.seed)  # noqa: S311 - a load, not a secret
        due = time.monotonic()
        again: list[Outgoing] = []
        for outgoing in self._population.request_records(1 << 62, user="steady"):
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            due += self._interval_s
            self._sender.send(outgoing)
            if draw.random() < self._repeat_share:
                again.append(outgoing)
            if again and draw.random() < self._repeat_share:
                self._sender.send(again.pop(draw.randrange(len(again))))

"""Makes chargeable events of many accounts and adjustments of them, the same for the same seed."""

import json
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

from api.results import Answer
from api.rows import Received

USAGE_TYPES = ("DATA", "DATA_ROAMING", "VOICE", "VOICE_INTERNATIONAL", "SMS", "EBOOK", "PLAN")
KINDS = ("USAGE", "USAGE", "USAGE", "USAGE", "USAGE", "ONE_TIME_FEE", "RECURRING_FEE")
CURRENCIES = ("EUR",) * 9 + ("USD",)
COMMENTS = ("metered twice in roaming", "wrong tariff", "goodwill after an outage", "late fee")
DAYS, DAYS_OF_A_MONTH = 60, 30
BILLED_DAYS = 30
EXCLUDED_MICRO, TAX_MICRO = 10_000_000, 2_100_000

Image = dict[str, Any]


class Adjusted(NamedTuple):
    """What is done to one event."""

    number: int
    request_id: str
    credited_micro: int
    comment: str | None
    version: int


class Charges:
    """Made-up chargeable events of many accounts: an image of any of them, by its number."""

    def __init__(self, events: int, accounts: int, adjustments: int) -> None:
        """Spread so many events over so many accounts, and adjust some of them."""
        self.events, self.accounts, self.adjustments = events, accounts, adjustments

    def account(self, number: int) -> str:
        """The account of an event."""
        return f"ACC-{number % self.accounts:07d}"

    def external_id(self, number: int) -> str:
        """The account of an event as the CRM calls it."""
        return f"CRM-{number % self.accounts}"

    def ref_id(self, number: int) -> str:
        """The refId of an event."""
        return f"CE-{number:09d}"

    def image(self, number: int, credited: int = 0) -> Image:
        """The event as it is after a credit of so many micro-units without tax."""
        day = number * 7919 % DAYS
        original = _amounts(EXCLUDED_MICRO + number % 1000, TAX_MICRO)
        return {
            "refId": self.ref_id(number),
            "account": {"refId": self.account(number)},
            "usageType": USAGE_TYPES[number % len(USAGE_TYPES)],
            "kind": KINDS[number % len(KINDS)],
            "eventDate": f"{date_of(day)}T"
            f"{number % 24:02d}:{number % 60:02d}:{number % 59:02d}+01:00",
            "quantity": 734_003_200,
            "unitOfMeasure": "BYTE",
            "currency": CURRENCIES[number % self.accounts % len(CURRENCIES)],
            "original": original,
            "tax": {"code": "VAT21", "rate": 2100},
            "glCode": "4000-ROAM",
            "status": "BILLED" if day < BILLED_DAYS else "RATED",
            "billingPeriod": {
                "start": "2026-11-01T00:00:00+01:00",
                "end": "2026-12-01T00:00:00+01:00",
            },
            "invoiceRefId": None,
            "adjusted": _amounts(-credited, 0),
            "current": _amounts(original["taxExcludedAmount"] - credited, TAX_MICRO),
            "adjustmentState": _state(credited),
            "adjustmentCount": 1 if credited else 0,
            "version": 2 if credited else 1,
        }

    def rated(self) -> Iterator[Any]:
        """One record for each account, then one for each event."""
        for number in range(self.accounts):
            account = {
                "refId": self.account(number),
                "externalId": self.external_id(number),
                "currency": CURRENCIES[number % len(CURRENCIES)],
                "state": "ACTIVE",
                "taxExempt": False,
                "billingInProgress": False,
                "version": 1,
            }
            yield _record(b"account", account)
        for number in range(self.events):
            yield _record(b"chargeableEvent", self.image(number))

    def adjusted(self, seed: int = 1) -> Iterator[Adjusted]:
        """Draw events at random, and what is done to them; one in ten is commented."""
        draw = random.Random(seed)  # noqa: S311 - a load, not a secret
        for _ in range(self.adjustments):
            credited = draw.randrange(-EXCLUDED_MICRO // 10, EXCLUDED_MICRO * 11 // 10) or 1
            ticket, is_commented = draw.randrange(1_000_000), draw.randrange(10) == 0
            comment = f"{COMMENTS[ticket % len(COMMENTS)]}, ticket {ticket}"
            yield Adjusted(
                number=draw.randrange(self.events),
                request_id=str(UUID(int=draw.getrandbits(128))),
                credited_micro=min(credited, EXCLUDED_MICRO),
                comment=comment if is_commented else None,
                version=draw.getrandbits(62),
            )

    def transactions(self) -> Iterator[Any]:
        """Two records for each adjustment: what becomes of the event, and the adjustment."""
        for each in self.adjusted():
            image = self.image(each.number, each.credited_micro)
            yield _record(b"chargeableEvent", image, each.request_id)
            yield _record(b"adjustment", self._adjustment(each, image), each.request_id)

    def _adjustment(self, made: Adjusted, event: Image) -> Image:
        return {
            "refId": f"ADJ-{self.account(made.number)}-{made.request_id}",
            "requestId": made.request_id,
            "user": "bench",
            "channel": "TOPIC",
            "account": event["account"],
            "chargeableEventRefId": event["refId"],
            "chargeType": "DEBIT" if made.credited_micro < 0 else "CREDIT",
            "adjustmentMode": "AMOUNT",
            "taxTreatment": "NO_TAX",
            "currency": event["currency"],
            "reason": "BILLING_ERROR",
            "comment": made.comment,
            "effect": event["adjusted"],
            "before": event["original"],
            "after": event["current"],
            "eventVersion": made.version,
            "billingTreatment": "NEXT_BILL" if event["status"] == "BILLED" else "SAME_PERIOD",
            "reversalOf": None,
            "batch": None,
            "requestedAt": f"{date_of(made.number % DAYS)}T12:00:00.000Z",
        }

    def requests(self) -> Iterator[tuple[Received, Answer]]:
        """The request of each adjustment, and its result."""
        for offset, each in enumerate(self.adjusted()):
            account = self.account(each.number)
            received = Received(
                account=account,
                request_id=each.request_id,
                topic_offset=offset,
                chargeable_event_ref_id=self.ref_id(each.number),
                user="bench",
                requested_at=f"{date_of(offset % DAYS)}T12:00:00.000Z",
                asked=b'{"requestId":"%b"}' % each.request_id.encode(),
            )
            yield received, _applied(received)


def date_of(day: int) -> str:
    """The date of one of the days."""
    month, place = divmod(day, DAYS_OF_A_MONTH)
    return f"2026-{10 + month}-{1 + place:02d}"


def _applied(received: Received) -> Answer:
    value = json.dumps({"requestId": received.request_id, "status": "APPLIED"}).encode()
    return Answer(
        account=received.account,
        request_id=received.request_id,
        chargeable_event_ref_id=received.chargeable_event_ref_id,
        source=f"adjustment-requests-0-{received.topic_offset}",
        request_offset=received.topic_offset,
        partition=0,
        offset=received.topic_offset,
        value=value,
        status="APPLIED",
        is_replay=False,
        is_remembered=True,
        state_seq=0,
        decided_at="2026-12-01T12:00:00.000Z",
    )


def _state(credited: int) -> str:
    if credited == 0:
        return "NONE"
    if credited < 0:
        return "INCREASED"
    return "FULLY_CREDITED" if credited == EXCLUDED_MICRO else "PARTIALLY_CREDITED"


def _record(code: bytes, image: Image, request_id: str | None = None) -> Any:
    headers = [("X-Ocs-Io-message-code", code), ("seq", b"1")]
    if request_id is not None:
        headers.append(("requestId", request_id.encode()))
    owner = image.get("account", image)["refId"]
    return SimpleNamespace(
        key=owner.encode(), headers=headers, value=json.dumps(image, separators=(",", ":")).encode()
    )


def _amounts(excluded: int, tax: int) -> dict[str, int]:
    return {
        "taxExcludedAmount": excluded,
        "taxAmount": tax,
        "taxIncludedAmount": excluded + tax,
    }

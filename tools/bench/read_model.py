"""Measures how fast business transactions become rows of the read model, without Kafka."""

import json
import random
import time
from collections.abc import Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

from api.records import enter_transaction
from api.rows import Rows
from api.store import Store

KEPT_AT_ONCE = 5_000  # records of one transaction, as the reader brings them
USAGE_TYPES = ("DATA", "DATA_ROAMING", "VOICE", "VOICE_INTERNATIONAL", "SMS", "EBOOK", "PLAN")
KINDS = ("USAGE", "USAGE", "USAGE", "USAGE", "USAGE", "ONE_TIME_FEE", "RECURRING_FEE")
CURRENCIES = ("EUR",) * 9 + ("USD",)
DAYS = 60
BILLED_DAYS = 30
EXCLUDED_MICRO, TAX_MICRO = 10_000_000, 2_100_000

Image = dict[str, Any]


class Charges:
    """Made-up chargeable events of many accounts: an image of any of them, by its number."""

    def __init__(self, events: int, accounts: int) -> None:
        """Spread so many events over so many accounts."""
        self.events, self.accounts = events, accounts

    def account(self, number: int) -> str:
        """The account of an event."""
        return f"ACC-{number % self.accounts:07d}"

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
            "eventDate": f"2026-{10 + day // 30}-{1 + day % 30:02d}T"
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
            "adjustmentState": "PARTIALLY_CREDITED" if credited else "NONE",
            "adjustmentCount": 1 if credited else 0,
            "version": 2 if credited else 1,
        }

    def rated(self) -> Iterator[Any]:
        """One record for each account, then one for each event."""
        for number in range(self.accounts):
            account = {
                "refId": self.account(number),
                "externalId": f"CRM-{number}",
                "currency": CURRENCIES[number % len(CURRENCIES)],
                "state": "ACTIVE",
                "taxExempt": False,
                "billingInProgress": False,
                "version": 1,
            }
            yield _record(b"account", account)
        for number in range(self.events):
            yield _record(b"chargeableEvent", self.image(number))

    def adjusted(self, count: int, seed: int = 1) -> Iterator[Any]:
        """Two records for each adjustment of an event drawn at random."""
        draw = random.Random(seed)  # noqa: S311 - a load, not a secret
        for _ in range(count):
            number, request_id = draw.randrange(self.events), f"{draw.getrandbits(128):032x}"
            image = self.image(number, credited=draw.randrange(1, EXCLUDED_MICRO))
            yield _record(b"chargeableEvent", image, request_id)
            adjustment = {
                "refId": f"ADJ-{self.account(number)}-{request_id}",
                "requestId": request_id,
                "account": {"refId": self.account(number)},
                "chargeableEventRefId": self.ref_id(number),
                "comment": "metered twice in roaming" if draw.randrange(10) == 0 else None,
                "effect": image["adjusted"],
                "before": image["original"],
                "after": image["current"],
                "eventVersion": draw.getrandbits(62),
                "reversalOf": None,
            }
            yield _record(b"adjustment", adjustment, request_id)


def project(store: Store, records: Iterator[Any]) -> float:
    """Keep all records as the reader does; give how many a second."""
    began, count = time.perf_counter(), 0
    while batch := list(islice(records, KEPT_AT_ONCE)):
        rows = Rows()
        for record in batch:
            enter_transaction(rows, record)
        store.keep(rows)
        count += len(batch)
    return count / (time.perf_counter() - began)


def _record(code: bytes, image: Image, request_id: str | None = None) -> Any:
    headers = [("X-Ocs-Io-message-code", code)]
    if request_id is not None:
        headers.append(("requestId", request_id.encode()))
    return SimpleNamespace(headers=headers, value=json.dumps(image).encode())


def _amounts(excluded: int, tax: int) -> dict[str, int]:
    return {
        "taxExcludedAmount": excluded,
        "taxAmount": tax,
        "taxIncludedAmount": excluded + tax,
    }

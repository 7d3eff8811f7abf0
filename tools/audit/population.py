"""Accounts and chargeable events of every sort, as CRM and rating would send them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tools.audit.reckoning import written
from tools.audit.shape import Body
from tools.load import Outgoing

STATES: dict[int, Body] = {  # by the place of an account in each ten
    3: {"state": "SUSPENDED"},
    4: {"state": "INACTIVE"},
    5: {"state": "DEACTIVATED"},
    6: {"billingInProgress": True},
    7: {"taxExempt": True},
}
UNKNOWN = 8  # an account that the CRM never sends
CHANGING = 9  # an account that changes its state now and then
CHANGED_ACCOUNTS_SHARE = 0.3
CHARGES = (  # without tax, tax, rate in basis points
    (10_000_000, 2_100_000, 2100),
    (3, 1, 2100),
    (826_446_280_991_735, 173_553_719_008_265, 2100),
    (33_333, 2_333, 700),
    (5_000_000, 0, 0),
    (0, 0, 2100),
    (10_000_000, 2_100_000, 2100),
    (1, 1, 10_000),
    (999_999_999, 54_999_999, 550),
    (450_000_000_000_000, 49_999_999_999_999, 1111),
)
ABROAD = 8  # the place of the event that is charged in another currency
NEVER_RATED = len(CHARGES)  # the place of an event that rating never sends


@dataclass(frozen=True)
class Population:
    """So many times ten accounts under one prefix, each with one event of each sort."""

    prefix: str
    tens: int

    def account(self, number: int) -> str:
        """The refId of an account."""
        return f"{self.prefix}-{number:04d}"

    def event(self, number: int, place: int) -> str:
        """The refId of a chargeable event."""
        return f"{self.prefix}-{number:04d}-E{place:02d}"

    def currency(self, place: int) -> str:
        """The currency that an event is charged in."""
        return "USD" if place == ABROAD else "EUR"

    def charge(self, place: int) -> tuple[int, int]:
        """What an event is first charged, without tax and tax."""
        excluded, tax, _ = CHARGES[place % len(CHARGES)]
        return excluded, tax

    def upserts(self) -> Iterator[Outgoing]:
        """Everything once, as it is at first."""
        for number in range(self.tens * 10):
            if number % 10 != UNKNOWN:
                yield self._account_record(number, STATES.get(number % 10, {}))
            for place in range(len(CHARGES)):
                yield self._event_record(number, place, {})

    def change(self, draw: Random) -> Outgoing:
        """Something that CRM or rating says anew."""
        number = draw.randrange(self.tens * 10)
        if draw.random() < 0.3:  # noqa: PLR2004 - a share
            number = number - number % 10 + CHANGING
            said = {
                "state": draw.choice(("ACTIVE", "ACTIVE", "SUSPENDED", "INACTIVE", "DEACTIVATED")),
                "billingInProgress": draw.choice((False, False, True)),
                "taxExempt": draw.choice((False, True)),
            }
            return self._account_record(number - number % 10 + CHANGING, said)
        place = draw.randrange(len(CHARGES))
        excluded, tax = self.charge(place)
        grown = draw.choice((excluded, excluded * 2 // 3, excluded // 2 + 1))
        charged = {"original": written((grown, tax, grown + tax))}
        billed = {"status": "BILLED", "invoiceRefId": f"INV-{number}"}
        rated_anew = {"tax": {"code": "VAT", "rate": draw.choice((0, 333, 2100, 10_000))}}
        return self._event_record(number, place, draw.choice((charged, billed, rated_anew)))

    def _account_record(self, number: int, said: Body) -> Outgoing:
        ref_id = self.account(number)
        account = {
            "refId": ref_id,
            "externalId": None,
            "currency": "EUR",
            "state": "ACTIVE",
            "taxExempt": False,
            "billingInProgress": False,
        }
        return Outgoing("accounts", ref_id, json.dumps(account | said).encode())

    def _event_record(self, number: int, place: int, said: Body) -> Outgoing:
        account = self.account(number)
        excluded, tax, rate = CHARGES[place]
        event = {
            "refId": self.event(number, place),
            "account": {"refId": account},
            "usageType": "DATA_ROAMING",
            "kind": "USAGE",
            "eventDate": "2026-11-03T14:21:09+01:00",
            "quantity": 734_003_200,
            "unitOfMeasure": "BYTE",
            "currency": self.currency(place),
            "original": written((excluded, tax, excluded + tax)),
            "tax": {"code": "VAT", "rate": rate},
            "glCode": "4000-ROAM",
            "status": "BILLED" if number % 2 else "RATED",
            "billingPeriod": {
                "start": "2026-11-01T00:00:00+01:00",
                "end": "2026-12-01T00:00:00+01:00",
            },
            "invoiceRefId": None,
        }
        return Outgoing("chargeable-events", account, json.dumps(event | said).encode())

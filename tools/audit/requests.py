"""Draws requests of every sort, the same for the same seed: good, refused, malformed, repeated."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tools.audit.malformed import spoil
from tools.audit.population import NEVER_RATED, Population
from tools.audit.rules import LIMIT_MICRO, REASONS
from tools.audit.shape import Body
from tools.load import Outgoing

CHANGE_SHARE = 0.04
SORTS = {"adjust": 66, "reverse": 17, "repeat": 6, "reuse": 3, "spoil": 8}
MODES = {"AMOUNT": 40, "PERCENT": 20, "SET_TO": 25, "FULL": 15}
TREATMENTS = ("PROPORTIONAL", "PROPORTIONAL", "NO_TAX", "TAX_ONLY")
PERCENTS = (1, 333, 1000, 5000, 9999, 10_000)
RAISING_PERCENTS = (*PERCENTS, 12_500, 1_000_000)
DIGIT_WEIGHTS = (15, 15, 15, 8, 2, 2, 2, 8, 2, 15)
RECENT = 6  # so many last adjustments of an event may be reversed


class Asked(NamedTuple):
    """A request and the account whose key it is sent under."""

    account: str
    body: Body

    @property
    def adjustment(self) -> str:
        """The refId of the adjustment that it makes, if it is applied."""
        return f"ADJ-{self.account}-{self.body['requestId'].lower()}"


class Requests:
    """Draws one request after the other, mindful of those before."""

    def __init__(self, population: Population, seed: int) -> None:
        """Begin a row of requests."""
        self._population = population
        self._draw = Random(seed)  # noqa: S311 - a load, not a secret
        self._asked: list[Asked] = []
        self._adjustments: defaultdict[str, list[str]] = defaultdict(list)
        self._reversals: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)

    def records(self, count: int) -> Iterator[Outgoing]:
        """So many requests, with changes of accounts and charges between them."""
        for _ in range(count):
            if self._happens(CHANGE_SHARE):
                yield self._population.change(self._draw)
            account, body = self._next()
            value = json.dumps(body).encode()
            yield Outgoing("adjustment-requests", account, value, body["requestId"])

    def _next(self) -> Asked:
        (sort,) = self._draw.choices([*SORTS], [*SORTS.values()])
        if sort in {"repeat", "reuse"} and self._asked:
            account, body = self._draw.choice(self._asked[-500:])
            return Asked(account, self._again(body) if sort == "repeat" else self._other(body))
        made = self._reversal() if sort == "reverse" else self._adjustment()
        if sort == "spoil":
            return Asked(made.account, spoil(made.body, self._draw))
        self._asked.append(made)
        return made

    def _adjustment(self) -> Asked:
        number, place = self._number(), self._draw.randrange(NEVER_RATED)
        made = self._asked_of(number, place, self._how_much(place))
        self._adjustments[made.body["chargeableEventRefId"]].append(made.adjustment)
        return made

    def _reversal(self) -> Asked:
        number, place = self._number(), self._draw.randrange(NEVER_RATED)
        event = self._population.event(number, place)
        undone = self._undone(event)
        made = self._asked_of(number, place, {"reversalOf": undone})
        self._reversals[event].append((made.adjustment, undone))
        return made

    def _undone(self, event: str) -> str:
        """An adjustment of the event as a rule; else one that cannot be reversed, or is none."""
        draw = self._draw
        reversals, adjustments = self._reversals[event], self._adjustments[event]
        if reversals and self._happens(0.45):
            return draw.choice(draw.choice(reversals[-RECENT:]))
        if adjustments and self._happens(0.85):
            return draw.choice(adjustments[-RECENT:])
        return draw.choice(self._asked).adjustment if self._asked else "ADJ-none"

    def _asked_of(self, number: int, place: int, how_much: Body) -> Asked:
        """A request for an event, with what is asked of it and whatever else may be said."""
        draw = self._draw
        account = self._population.account(number)
        is_rated = self._happens(0.98)
        body = {
            "requestId": str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            "user": draw.choice(("crm:jane", "fin:omar", "ü" * 128)),
            "chargeableEventRefId": self._population.event(
                number, place if is_rated else NEVER_RATED
            ),
            "currency": draw.choices((self._population.currency(place), "CHF"), (50, 1))[0],
            **how_much,
            **self._why(),
        }
        if self._happens(0.5):
            body["account"] = {"refId": account}
        if self._happens(0.08):
            body["expectedVersion"] = draw.choice((1, 2, 3, 4, 5, 0, -1, 2**63 - 1))
        return Asked(account, body)

    def _how_much(self, place: int) -> Body:
        draw = self._draw
        (mode,) = draw.choices([*MODES], [*MODES.values()])
        treatment = draw.choice(TREATMENTS)
        charge_type = draw.choice(("CREDIT", "CREDIT", "DEBIT"))
        said: Body = {}
        if mode != "AMOUNT" or self._happens(0.3):
            said["adjustmentMode"] = mode
        if treatment != "PROPORTIONAL" or self._happens(0.3):
            said["taxTreatment"] = treatment
        if mode == "FULL":
            return said | {"chargeType": "CREDIT"}
        if treatment == "PROPORTIONAL":
            said["taxIncluded"] = draw.choice((True, False))
        elif self._happens(0.2):
            said["taxIncluded"] = False
        if mode == "SET_TO":
            return said | {"targetAmount": self._amount(place, treatment, 0)}
        if mode == "PERCENT":
            percents = PERCENTS if charge_type == "CREDIT" else RAISING_PERCENTS
            return said | {"chargeType": charge_type, "percent": draw.choice(percents)}
        amount = self._amount(place, treatment, 1)
        return said | {"chargeType": charge_type, "chargeAdjustment": amount}

    def _amount(self, place: int, treatment: str, least: int) -> int:
        excluded, tax = self._population.charge(place)
        whole = tax if treatment == "TAX_ONLY" else excluded + tax
        drawn = self._draw.choice(
            (least, 1, 2, whole, whole + 1, whole // 2, whole // 3, whole // 7, whole // 10)
        )
        if self._happens(0.01):
            drawn = LIMIT_MICRO
        return max(least, drawn)

    def _why(self) -> Body:
        draw, why = self._draw, Body()
        if self._happens(0.7):
            why["reason"] = draw.choice([*REASONS])
        if self._happens(0.03):
            why["reason"] = draw.choice(("WEATHER", "", "other"))
        if self._happens(0.5):
            why["comment"] = draw.choice(("metered twice", 'said "twice" \\ \U0001f600', "", "\n"))
        return why

    def _again(self, body: Body) -> Body:
        """The same content, written in another way."""
        again = dict(reversed(body.items()))
        if self._happens(0.5):
            again |= {"requestId": body["requestId"].upper(), "account": None}
            again.setdefault("reason", "BILLING_ERROR")
            again.setdefault("expectedVersion", None)
        return again

    def _other(self, body: Body) -> Body:
        """Other content under the same requestId."""
        others: tuple[Body, ...] = (
            {"user": "someone else"},
            {"comment": "another comment"},
            {"currency": "JPY"},
            {"chargeableEventRefId": self._population.event(self._number(), 0)},
            {"expectedVersion": 77},
        )
        return body | self._draw.choice(others)

    def _number(self) -> int:
        """The number of an account; of those whose charges are not adjusted only few."""
        (digit,) = self._draw.choices(range(10), DIGIT_WEIGHTS)
        return self._draw.randrange(self._population.tens) * 10 + digit

    def _happens(self, share: float) -> bool:
        return self._draw.random() < share

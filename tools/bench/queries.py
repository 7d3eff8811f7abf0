"""What the bench searches chargeable events by, and what is asked of each kind of search."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from schemas.chargeable_event import AdjustmentState, ChargeableEventKind, ChargeableEventStatus
from tools.bench.charges import (
    COMMENTS,
    CURRENCIES,
    DAYS,
    DAYS_OF_A_MONTH,
    EXCLUDED_MICRO,
    TAX_MICRO,
    USAGE_TYPES,
    Charges,
    date_of,
)
from tools.bench.figures import Limits

PATH, BARE_PATH = "/v1/chargeable-events", "/v1/reasons"
PERIOD_MS, BEGINNING_MS, FILTER_MS = (Limits(most, is_most=True) for most in (50, 20, 200))
BEGINNING_MIN = 4  # characters of an id that is typed

Query = dict[str, object]
Draw = Callable[[random.Random], object]


@dataclass(frozen=True)
class Kind:
    """One way to search, what is asked of it, and how a query is drawn."""

    name: str
    p99_limits_ms: Limits | None
    draw: Callable[[random.Random], Query]
    path: str = PATH


def kinds(charges: Charges) -> list[Kind]:
    """By account and period, the beginning of an id, each other filter; first, no search at all.

    What the first one takes is the way there and back, on this machine in its present state.
    """
    texts, values = _texts(charges), _values(charges)
    return [
        Kind("no search", None, lambda _: {}, BARE_PATH),
        Kind("account, from, to", PERIOD_MS, partial(_period, charges)),
        *(Kind(name, BEGINNING_MS, partial(_beginning, text)) for name, text in texts.items()),
        *(Kind(name, FILTER_MS, partial(_alone, name, value)) for name, value in values.items()),
        Kind("q, word", FILTER_MS, partial(_alone, "q", _word(charges))),
    ]


def addresses(kind: Kind, count: int, seed: int) -> list[str]:
    """Draw so many searches of a kind."""
    draw = random.Random(seed)  # noqa: S311 - a load, not a secret
    return [f"{kind.path}?{urlencode(kind.draw(draw))}" for _ in range(count)]


def _texts(charges: Charges) -> dict[str, Callable[[random.Random], str]]:
    request_ids = [each.request_id for each in charges.adjusted()]
    return {
        "q, event id": lambda draw: charges.ref_id(draw.randrange(charges.events)),
        "q, account id": lambda draw: charges.account(draw.randrange(charges.events)),
        "q, external id": lambda draw: charges.external_id(draw.randrange(charges.events)),
        "q, request id": lambda draw: draw.choice(request_ids),
    }


def _values(charges: Charges) -> dict[str, Draw]:
    amount_max = EXCLUDED_MICRO + TAX_MICRO
    return {
        "account": lambda draw: charges.account(draw.randrange(charges.events)),
        "usageType": lambda draw: draw.choice(USAGE_TYPES),
        "kind": lambda draw: draw.choice(list(ChargeableEventKind)),
        "status": lambda draw: draw.choice(list(ChargeableEventStatus)),
        "adjustmentState": lambda draw: draw.choice(list(AdjustmentState)),
        "currency": lambda draw: draw.choice(sorted({*CURRENCIES})),
        "minAmount": lambda draw: draw.randrange(amount_max),
        "maxAmount": lambda draw: draw.randrange(amount_max),
        "from": lambda draw: _midnight(draw.randrange(DAYS)),
        "to": lambda draw: _midnight(draw.randrange(DAYS)),
    }


def _word(charges: Charges) -> Draw:
    """Draw a word of many comments, or as often a ticket's number, which is in one."""
    comments = [each.comment for each in charges.adjusted() if each.comment]
    common, rare = " ".join(COMMENTS).split(), [text.split()[-1] for text in comments]
    return lambda draw: draw.choice(draw.choice((common, rare or common)))


def _period(charges: Charges, draw: random.Random) -> Query:
    first = draw.randrange(DAYS - DAYS_OF_A_MONTH)
    return {
        "account": charges.account(draw.randrange(charges.events)),
        "from": _midnight(first),
        "to": _midnight(first + DAYS_OF_A_MONTH),
    }


def _beginning(whole: Callable[[random.Random], str], draw: random.Random) -> Query:
    text = whole(draw)
    return {"q": text[: draw.randint(BEGINNING_MIN, len(text))]}


def _alone(name: str, value: Draw, draw: random.Random) -> Query:
    return {name: value(draw)}


def _midnight(day: int) -> str:
    return f"{date_of(day)}T00:00:00Z"

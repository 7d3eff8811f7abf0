"""What topics bring is kept alike by both databases: any text, any size, any number of times."""

import json
from random import Random
from string import ascii_letters
from typing import Any

import pytest
import sqlalchemy as sql

from api.lookups import Lookups
from api.rows import Rows
from api.store import Store
from api.tables import ACCOUNT, CHARGEABLE_EVENT, REQUEST
from tests.api.builders import ACCOUNT as OWNER
from tests.api.builders import REQUEST_ID
from tests.api.images import entered, image_of, received
from tests.postgres import on_both_databases

pytestmark = on_both_databases

EVENT = "CE-500001"
LONG = "".join(Random(1).choices(ascii_letters, k=10_000))  # noqa: S311 - text that no index compresses


def an_event(**changes: Any) -> bytes:
    return image_of("chargeable-event", **changes)


def count_of(store: Store, table: sql.Table, *conditions: sql.ColumnElement[bool]) -> int:
    with store.engine.begin() as connection:
        counted = sql.select(sql.func.count()).select_from(table).where(*conditions)
        return connection.execute(counted).scalar_one()


def test_an_after_image_is_given_back_byte_by_byte_and_the_last_one_stays(store: Store) -> None:
    first, last = an_event(), an_event(usageType="LAST")
    for image in (first, first, last):
        store.keep(entered(b"chargeableEvent", image))
    assert Lookups(store.engine).events(EVENT, OWNER) == [(OWNER, last)]
    store.keep(entered(b"chargeableEvent", first, request=REQUEST_ID))
    assert Lookups(store.engine).events(EVENT, None) == [(OWNER, first)]
    adjusted = image_of("adjustment", comment="Zähler ab\0gelesen")
    for _ in range(2):
        store.keep(entered(b"adjustment", adjusted))
    request_id = json.loads(adjusted)["requestId"]
    assert Lookups(store.engine).adjustment(OWNER, EVENT, request_id) == adjusted


def test_what_is_searched_by_may_hold_any_character(store: Store) -> None:
    store.keep(entered(b"chargeableEvent", an_event(usageType="DA\0TA")))
    store.keep(entered(b"account", image_of("account", externalId="\0")))
    store.keep(Rows(requests=[received(user="crm:\0")]))
    usage, external, user = CHARGEABLE_EVENT.c.usage_type, ACCOUNT.c.external_id, REQUEST.c.user
    assert count_of(store, CHARGEABLE_EVENT, usage == "DA\0TA") == 1
    assert count_of(store, CHARGEABLE_EVENT, usage == "DATA") == 0
    assert count_of(store, ACCOUNT, external == "\0") == 1
    assert count_of(store, REQUEST, user.startswith("crm:\0")) == 1


@pytest.mark.parametrize("odd", ["\0", LONG, "\N{GRINNING FACE}" * 256, "'; --"])
def test_a_request_is_found_by_whatever_it_called_itself(store: Store, odd: str) -> None:
    lookups = Lookups(store.engine)
    store.keep(Rows(requests=[received(requestId=odd, chargeableEventRefId=odd)]))
    store.keep(Rows(requests=[received(requestId=odd + "!", chargeableEventRefId=odd)]))
    (found,) = lookups.standings(odd, OWNER)
    assert (found.account, found.request_id) == (OWNER, odd)
    assert lookups.standings(odd[:-1] + "?", None) == []


def test_what_no_id_can_be_finds_nothing(store: Store) -> None:
    store.keep(Rows(requests=[received()]))
    store.keep(entered(b"chargeableEvent", an_event()))
    lookups = Lookups(store.engine)
    for odd in ("\0", LONG):
        assert lookups.standings(REQUEST_ID + odd, None) == []
        assert lookups.standings(REQUEST_ID, OWNER + odd) == []
        assert lookups.events(EVENT, OWNER + odd) == lookups.events(odd, None) == []
        assert lookups.account(odd) is lookups.adjustment(OWNER, odd, odd) is None
        assert lookups.reversal(OWNER, odd) is None


@pytest.mark.parametrize(
    "event_date", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-00:00"]
)
def test_the_first_and_the_last_time_are_kept(store: Store, event_date: str) -> None:
    largest = {"taxExcludedAmount": 10**15, "taxAmount": 0, "taxIncludedAmount": 10**15}
    image = an_event(eventDate=event_date, current=largest)
    store.keep(entered(b"chargeableEvent", image))
    assert count_of(store, CHARGEABLE_EVENT, CHARGEABLE_EVENT.c.amount == 10**15) == 1

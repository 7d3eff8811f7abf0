"""How what is named by its id is found."""

from typing import Any

import sqlalchemy as sql

from api.lookups import events_at
from api.rows import EventRow, Rows
from api.store import Store
from tests.postgres import on_both_databases

PLACES = [("ACC-1", "CE-1"), ("ACC-1", "CE-2"), ("ACC-2", "CE-1")]


def image_of(place: tuple[str, str]) -> bytes:
    return "/".join(place).encode()


def keep_events(store: Store) -> None:
    """Rate more events of these accounts, and with these refIds, than will be asked for."""
    places = [(f"ACC-{account}", f"CE-{event}") for account in (1, 2, 3) for event in (1, 2, 3)]
    store.keep(
        Rows(
            events={
                place: EventRow(
                    *place, 0, "DATA", "USAGE", "OPEN", "EUR", "NONE", 0, image_of(place)
                )
                for place in places
            }
        )
    )


@on_both_databases
def test_events_are_found_by_account_and_ref_id_together(store: Store) -> None:
    keep_events(store)
    with store.engine.connect() as connection:
        found = events_at(connection, [*PLACES, ("ACC-9", "CE-1")])
        assert events_at(connection, []) == []
    images = {(row.account, row.ref_id): row.image for row in found}
    assert images == {place: image_of(place) for place in PLACES}


def test_of_many_events_none_is_looked_at_but_those_that_are_asked_for(store: Store) -> None:
    plan: list[str] = []
    with store.engine.connect() as connection:

        @sql.event.listens_for(store.engine, "before_cursor_execute")
        def explain(_connection: Any, cursor: Any, text: str, given: Any, *_: Any) -> None:
            cursor.execute(f"EXPLAIN QUERY PLAN {text}", given)
            plan.extend(detail for *_, detail in cursor.fetchall())

        events_at(connection, PLACES)
    assert any(step.startswith("SEARCH event USING INDEX") for step in plan), plan
    assert not any(step.startswith("SCAN event") for step in plan), plan

"""How what is named by its id is found."""

from typing import Any

import sqlalchemy as sql

from api.lookups import events_at
from api.store import Store

PLACES = [("ACC-1", "CE-1"), ("ACC-1", "CE-2"), ("ACC-2", "CE-1")]


def plan_of(asked: sql.Select[Any], engine: sql.Engine) -> list[str]:
    """Say how SQLite goes about it."""
    written = asked.compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}")]


def test_of_many_events_none_is_looked_at_but_those_that_are_asked_for(store: Store) -> None:
    plan = plan_of(events_at(PLACES), store.engine)
    assert any(step.startswith("SEARCH chargeable_event USING INDEX") for step in plan), plan
    assert not any(step.startswith("SCAN chargeable_event") for step in plan), plan

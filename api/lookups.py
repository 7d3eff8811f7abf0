"""Looks up in the read model what is named by its id."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql

from api.rows import Received
from api.snapshot import snapshot
from api.statements import MARKS, processor
from api.tables import ACCOUNT, ADJUSTMENT, CHARGEABLE_EVENT, REQUEST, RESULT, TEXT


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the request of one account and id stands: decided if there is a value."""

    account: str
    request_id: str
    received: Received | None
    value: bytes | None
    is_remembered: bool

    @property
    def asked(self) -> bytes | None:
        """The first well-formed request of the id, if one was seen."""
        return None if self.received is None else self.received.asked

    @property
    def is_taken(self) -> bool:
        """Whether the id stands for a request; a malformed one does not take it."""
        return self.asked is not None or self.is_remembered


@dataclass(frozen=True, kw_only=True)
class Many:
    """What is kept of several: images by id, and how requests stand by account and requestId."""

    accounts: Mapping[str, bytes]
    events: Mapping[tuple[str, str], bytes]
    standings: Mapping[tuple[str, str], Standing]


class Lookups:
    """The read model, by ids. Each call blocks: use threads."""

    def __init__(self, engine: sql.Engine, connection: sql.Connection | None = None) -> None:
        """Look into this database; over the connection, if one is given."""
        self._engine = engine
        self._connection = connection

    @contextmanager
    def at_one_moment(self) -> Iterator["Lookups"]:
        """Give lookups that all see the same rows, whatever is written meanwhile."""
        with snapshot(self._engine) as connection:
            yield Lookups(self._engine, connection)

    def standings(self, request_id: str, account: str | None) -> list[Standing]:
        """Give how the request stands, once for each account that used the id."""
        with self._reading() as connection:
            requests = {
                row["account"]: Received(**row)
                for row in connection.execute(_of(REQUEST, request_id, account)).mappings()
            }
            results = {
                row.account: row for row in connection.execute(_of(RESULT, request_id, account))
            }
        return [
            _standing(name, request_id, requests.get(name), results.get(name))
            for name in sorted(requests.keys() | results.keys())
        ]

    def events(self, ref_id: str, account: str | None) -> list[tuple[str, bytes]]:
        """Give account and image of each chargeable event of this refId, by account."""
        table = CHARGEABLE_EVENT
        asked = sql.select(table.c.account, table.c.image).where(table.c.ref_id == ref_id)
        if account is not None:
            asked = asked.where(table.c.account == account)
        with self._reading() as connection:
            rows = connection.execute(asked.order_by(table.c.account)).all()
        return [(row.account, row.image) for row in rows]

    def account(self, ref_id: str) -> bytes | None:
        """Give the image of an account."""
        with self._reading() as connection:
            image: bytes | None = connection.scalar(
                sql.select(ACCOUNT.c.image).where(ACCOUNT.c.ref_id == ref_id)
            )
        return image

    def many(self, places: Sequence[tuple[str, str]], request_ids: Sequence[str]) -> "Many":
        """Give what is kept of these chargeable events (account, refId) and requestIds, at once."""
        names = {account for account, _ in places}
        with self._reading() as connection:
            accounts = connection.execute(_ACCOUNTS, {"ids": [*names]}).all()
            events = events_at(connection, places)
            requests = connection.execute(_REQUESTS, {"ids": request_ids}).mappings().all()
            results = connection.execute(_RESULTS, {"ids": request_ids}).all()
        received = {(row["account"], row["request_id"]): Received(**row) for row in requests}
        decided = {(row.account, row.request_id): row for row in results}
        return Many(
            accounts={row.ref_id: row.image for row in accounts},
            events={(row.account, row.ref_id): row.image for row in events},
            standings={
                place: _standing(*place, received.get(place), decided.get(place))
                for place in received.keys() | decided.keys()
            },
        )

    def adjustment(self, account: str, event: str, request_id: str) -> bytes | None:
        """Give the image of the adjustment of an event that a request made."""
        with self._reading() as connection:
            image: bytes | None = connection.scalar(
                sql.select(ADJUSTMENT.c.image)
                .where(ADJUSTMENT.c.account == account)
                .where(ADJUSTMENT.c.chargeable_event_ref_id == event)
                .where(ADJUSTMENT.c.request_id == request_id)
            )
        return image

    def reversal(self, account: str, adjustment: str) -> bytes | None:
        """Give the image of the adjustment that reversed the one of this refId."""
        with self._reading() as connection:
            image: bytes | None = connection.scalar(
                sql.select(ADJUSTMENT.c.image)
                .where(ADJUSTMENT.c.account == account)
                .where(ADJUSTMENT.c.reversal_of == adjustment)
            )
        return image

    @contextmanager
    def _reading(self) -> Iterator[sql.Connection]:
        if self._connection is not None:
            yield self._connection
        else:
            with self._engine.begin() as connection:
                yield connection


def events_at(
    connection: sql.Connection, places: Sequence[tuple[str, str]]
) -> Sequence[sql.Row[Any]]:
    """Give account, refId and image of the chargeable events of these accounts and refIds.

    They are joined, since SQLite reads the whole table for pairs that are IN a list; in the
    driver's own words, since SQLAlchemy takes ten times as long to write so many names out.
    """
    if not places:
        return []
    mark = MARKS[connection.dialect.name]
    asked = ", ".join([f"({mark}, {mark})"] * len(places))
    process = processor(TEXT, connection.dialect) or str
    given = tuple(process(name) for place in places for name in place)
    return connection.exec_driver_sql(_EVENTS_AT.format(asked=asked), given).all()


_EVENTS_AT = (
    "WITH asked (account, ref_id) AS (VALUES {asked}) "
    "SELECT event.account, event.ref_id, event.image FROM asked JOIN chargeable_event AS event "
    "ON event.account = asked.account AND event.ref_id = asked.ref_id"
)
_IDS: sql.BindParameter[Any] = sql.bindparam("ids", expanding=True)
_ACCOUNTS = sql.select(ACCOUNT.c.ref_id, ACCOUNT.c.image).where(ACCOUNT.c.ref_id.in_(_IDS))
_REQUESTS = sql.select(REQUEST).where(REQUEST.c.request_id.in_(_IDS))
_RESULTS = sql.select(RESULT).where(RESULT.c.request_id.in_(_IDS))


def _of(table: sql.Table, request_id: str, account: str | None) -> sql.Select[Any]:
    asked = sql.select(table).where(table.c.request_id == request_id)
    return asked if account is None else asked.where(table.c.account == account)


def _standing(
    account: str, request_id: str, received: Received | None, result: sql.Row[Any] | None
) -> Standing:
    """Say how it stands: a result not remembered counts only until the id is used again."""
    is_decided = result is not None and (
        result.remembered or received is None or received.topic_offset <= result.request_offset
    )
    return Standing(
        account=account,
        request_id=request_id,
        received=received,
        value=result.value if result is not None and is_decided else None,
        is_remembered=result is not None and result.remembered,
    )

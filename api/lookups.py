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
    received: Received
    value: bytes | None
    is_remembered: bool

    @property
    def asked(self) -> bytes | None:
        """The first well-formed request of the id, if one was seen."""
        return self.received.asked

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
            asked = _STANDINGS.where(REQUEST.c.request_id == request_id)
            if account is not None:
                asked = asked.where(REQUEST.c.account == account)
            rows = connection.execute(asked.order_by(REQUEST.c.account)).all()
        return [_standing(row, request_id) for row in rows]

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
            standings = connection.execute(_STANDINGS_OF, {"ids": request_ids}).all()
        return Many(
            accounts={row.ref_id: row.image for row in accounts},
            events={(row.account, row.ref_id): row.image for row in events},
            standings={
                (row.account, row.request_id): _standing(row, row.request_id) for row in standings
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
_STANDINGS = sql.select(
    *(REQUEST.c[name] for name in Received.__struct_fields__),
    *(RESULT.c[name] for name in ("request_offset", "remembered", "value")),
).outerjoin_from(REQUEST, RESULT, RESULT.c.id == REQUEST.c.id)
_STANDINGS_OF = _STANDINGS.where(REQUEST.c.request_id.in_(_IDS))


def _standing(row: Any, request_id: str) -> Standing:
    """Say how it stands: a result not remembered counts only until the id is used again.

    The id is as it was asked for: PostgreSQL may keep it in another form.
    """
    received = Received(**{name: getattr(row, name) for name in Received.__struct_fields__})
    is_remembered = bool(row.remembered)
    is_decided = is_remembered or (
        row.request_offset is not None and received.topic_offset <= row.request_offset
    )
    return Standing(
        account=received.account,
        request_id=request_id,
        received=received,
        value=row.value if is_decided else None,
        is_remembered=is_remembered,
    )

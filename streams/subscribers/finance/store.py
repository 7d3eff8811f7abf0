"""Keeps images, their journal and the position in the topic: all in one commit.

Whoever works on the database has the newest turn, and every commit proves it: an instance that was
taken for dead and wakes up again is refused by its own first commit.
"""

import secrets
import time
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError

from streams.subscribers.errors import FencedError, HeldError, StoreError
from streams.subscribers.finance.gl_accounts import GlAccounts
from streams.subscribers.finance.journal import Taxed
from streams.subscribers.finance.rows import Place, Row, Rows, rows_of
from streams.subscribers.finance.tables import (
    DAILY_TOTAL,
    ENTITY_TABLES,
    HOLDER,
    JOURNAL_ENTRY,
    SET_ASIDE,
    TOPIC_OFFSET,
)
from streams.subscribers.images import TOPIC, Batch, Progress
from streams.subscribers.lease import Lease

BEATS_A_LEASE = 4
TURN_BITS = 62
IDS_AT_ONCE = 500  # ids looked up at once
_EVENT = ENTITY_TABLES["chargeable_event"].c
_POSTGRESQL = {"connect_timeout": 10, "tcp_user_timeout": 10_000}  # s; ms without an answer
_SQLITE = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=30000",
    "cache_size=-65536",  # KiB
    "wal_autocheckpoint=16384",  # pages
)


class FinanceStore:
    """Finance's database as its one writer sees it."""

    def __init__(self, url: str, accounts: GlAccounts, lease_s: float) -> None:
        """Say where; nothing is opened before `open`."""
        self._engine = engine_of(url)
        self._accounts = accounts
        self._lease, self._beat_s = Lease(lease_s), lease_s / BEATS_A_LEASE
        self._turn: int | None = None
        self._beaten_at = 0.0
        self._file: object = None

    def open(self) -> Mapping[int, Progress]:
        """Take the database over, and say how far it is. Raises HeldError, StoreError."""
        self._engine.dispose()  # of a database that was deleted or restarted
        try:
            if self._engine.dialect.name == "sqlite" and self._engine.url.database:
                Path(self._engine.url.database).parent.mkdir(parents=True, exist_ok=True)
            with self._engine.begin() as connection:
                _migrate(connection)
            self._file = file_of(self._engine)
            with self._engine.begin() as connection:
                self._take_over(connection)
                rows = connection.execute(sql.select(TOPIC_OFFSET)).all()
        except (SQLAlchemyError, OSError) as error:
            raise _unusable(error) from error
        return {row.partition: Progress(row.next, row.seq, row.digest) for row in rows}

    def keep(self, batch: Batch) -> None:
        """Keep a batch, all or nothing. Raises FencedError, StoreError."""
        if file_of(self._engine) != self._file:
            raise StoreError(f"{self._engine.url.database} is gone; it is made anew")
        is_silent = time.monotonic() - self._beaten_at > self._beat_s
        if not batch.positions and not is_silent:
            return
        try:
            with self._engine.begin() as connection:
                self._beat(connection)
                posted = _posted(connection, batch)
                find = partial(_find, connection)
                rows = rows_of(batch, self._accounts, posted, find)
                self._write(connection, rows, batch)
        except (SQLAlchemyError, OSError, OverflowError) as error:
            raise _unusable(error) from error
        self._beaten_at = time.monotonic()

    def close(self) -> None:
        """Let the next instance begin at once."""
        try:
            with self._engine.begin() as connection:
                is_ours = HOLDER.c.turn == self._turn
                connection.execute(HOLDER.update().where(is_ours).values(beat=None))
        except SQLAlchemyError:
            pass  # then the lease ends by itself
        finally:
            self._engine.dispose()

    def _take_over(self, connection: sql.Connection) -> None:
        where = self._engine.url.render_as_string()
        held = connection.execute(sql.select(HOLDER)).one_or_none()
        if held is None:
            # Of a database that was deleted and made again, an instance of before has no turn.
            self._turn = secrets.randbits(TURN_BITS)
            connection.execute(HOLDER.insert(), {"turn": self._turn, "beat": 0})
            return
        is_free = held.beat is None or held.turn == self._turn
        if not self._lease.has_ended(None if is_free else tuple(held)):
            raise HeldError(f"waits: another instance is at work on {where}")
        newer = HOLDER.update().where(HOLDER.c.turn == held.turn)
        taken = connection.execute(newer.values(turn=held.turn + 1, beat=0))
        if taken.rowcount != 1:
            raise HeldError(f"waits: another instance has just begun on {where}")
        self._turn = held.turn + 1

    def _beat(self, connection: sql.Connection) -> None:
        """Show that this one lives, and prove that it still has the database."""
        is_ours = HOLDER.c.turn == self._turn
        beaten = connection.execute(
            HOLDER.update().where(is_ours).values(beat=sql.func.coalesce(HOLDER.c.beat, 0) + 1)
        )
        if beaten.rowcount != 1:
            raise FencedError(f"another instance has taken over {self._engine.url.database}")

    def _write(self, connection: sql.Connection, rows: Rows, batch: Batch) -> None:
        statements = self._statements
        for entity, kept in rows.entities.items():
            self._run(connection, statements[entity], list(kept.values()))
        self._run(connection, statements["journal_entry"], rows.lines)
        totals = [(*named, *total) for named, total in rows.totals.items()]
        self._run(connection, statements["daily_total"], totals)
        self._run(connection, statements["set_aside"], [tuple(each) for each in rows.set_aside])
        positions = [(TOPIC, number, *progress) for number, progress in batch.positions.items()]
        self._run(connection, statements["topic_offset"], positions)

    def _run(self, connection: sql.Connection, statement: str, rows: list[Row]) -> None:
        if not rows:
            return
        if self._engine.dialect.name == "postgresql":
            rows = [tuple(map(_without_nul, row)) for row in rows]
        connection.exec_driver_sql(statement, rows)

    @cached_property
    def _statements(self) -> dict[str, str]:
        """One for each table, as the driver takes it: SQLAlchemy is slower than the database."""
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        total = insert(DAILY_TOTAL)
        added = {name: DAILY_TOTAL.c[name] + total.excluded[name] for name in ("amount", "lines")}
        statements = {
            name: _replaced(insert(table), table) for name, table in ENTITY_TABLES.items()
        } | {
            "journal_entry": insert(JOURNAL_ENTRY),
            "daily_total": total.on_conflict_do_update(
                index_elements=list(DAILY_TOTAL.primary_key), set_=added
            ),
            "set_aside": insert(SET_ASIDE),
            "topic_offset": _replaced(insert(TOPIC_OFFSET), TOPIC_OFFSET),
        }
        return {name: str(each.compile(self._engine)) for name, each in statements.items()}


def engine_of(url: str) -> sql.Engine:
    """Give an engine; rows are handed to its driver as tuples. Raises StoreError."""
    try:
        is_sqlite = sql.make_url(url).get_backend_name() == "sqlite"
        engine = (
            sql.create_engine(url, paramstyle="qmark")
            if is_sqlite
            else sql.create_engine(url, paramstyle="format", connect_args=_POSTGRESQL)
        )
    except (SQLAlchemyError, ImportError, ValueError) as error:  # a driver may be an extra
        raise StoreError(f"ADJUST_FINANCE_URL cannot be used: {error}") from error
    if is_sqlite:
        sql.event.listen(engine, "connect", _tune_sqlite)
    return engine


def file_of(engine: sql.Engine) -> object:
    """Tell SQLite's file from any other of its name."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    try:
        found = Path(engine.url.database).stat()
    except OSError:
        return "gone"
    return found.st_dev, found.st_ino


def _replaced(insert: Any, table: sql.Table) -> Any:
    """Insert a row, or replace all but its key."""
    key = list(table.primary_key)
    others = [column.name for column in table.columns if column not in key]
    return insert.on_conflict_do_update(
        index_elements=key, set_={name: insert.excluded[name] for name in others}
    )


def _posted(connection: sql.Connection, batch: Batch) -> set[str]:
    """Give the adjustments of a batch that are kept already."""
    known = ENTITY_TABLES["adjustment"].c.ref_id
    ids = [image.content.ref_id for image in batch.images if image.entity == "adjustment"]
    found: set[str] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        asked = sql.select(known).where(known.in_(ids[start : start + IDS_AT_ONCE]))
        found.update(connection.scalars(asked))
    return found


def _find(connection: sql.Connection, place: Place) -> Taxed | None:
    account, ref_id = place
    found = sql.select(_EVENT.gl_code, _EVENT.tax_code)
    is_it = (_EVENT.account_ref_id == account) & (_EVENT.ref_id == ref_id)
    row = connection.execute(found.where(is_it)).one_or_none()
    return None if row is None else Taxed(*row)


def _without_nul(value: Any) -> Any:
    """Give a text as PostgreSQL can keep it."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value


def _unusable(error: Exception) -> StoreError:
    cause = error.__cause__ or error
    return StoreError(f"Finance's database cannot be used: {str(cause).splitlines()[0]}")


def _tune_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Let others read meanwhile. After a power cut the last commits may be missing as a whole."""
    cursor = connection.cursor()
    for pragma in _SQLITE:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: sql.Connection) -> None:
    config, migrations = Config(), str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", migrations.replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

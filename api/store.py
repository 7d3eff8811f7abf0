"""Opens the read model, and writes to it: rows, and how far the topics have been read.

One writer, any number of readers. Each call blocks: use threads.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sql
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from api import unsynced
from api.batches.projection import BatchProjection
from api.claim import claim
from api.errors import ReadModelLostError
from api.results import Answer
from api.rows import (
    AccountRow,
    AdjustedRow,
    AdjustmentRow,
    EventRow,
    Position,
    Progress,
    Received,
    Rows,
    WordRow,
)
from api.statements import Prepared
from api.tables import (
    ACCOUNT,
    ADJUSTMENT,
    CHARGEABLE_EVENT,
    CLUSTER,
    COMMENT_WORD,
    METADATA,
    REQUEST,
    RESULT,
    TOPIC_OFFSET,
)

_SQLITE = (
    "journal_mode=WAL",
    "busy_timeout=30000",
    "cache_size=-65536",  # KiB
    "mmap_size=2147418112",  # bytes, as many as it takes; what a batch costs here is a tenth less
    "wal_autocheckpoint=65536",  # pages; a commit that finds so many waits, see `checkpoint`
    "temp_store=MEMORY",
)


class Store:
    """The read model as its one writer sees it."""

    def __init__(self, url: str) -> None:
        """Open the database and bring its tables up to date."""
        # Readers are few by their threads and turns: the writer waits for none of them to be done.
        self.engine = sql.create_engine(url, poolclass=sql.QueuePool, max_overflow=-1)
        file = _sqlite_file(self.engine.url)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._held = claim(self.engine)
        if self.engine.dialect.name == "sqlite":
            is_unsynced = file is not None and unsynced.begin(file, self._held)
            sql.event.listen(self.engine, "connect", _tuned(is_unsynced=is_unsynced))
        self._held.callback(self.engine.dispose)
        _migrate(self.engine)
        self._file = _file_of(self.engine)
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        self._account = self._prepared(
            _replaced(dialect.insert(ACCOUNT), ACCOUNT, "ref_id"), AccountRow._fields
        )
        self._event = self._prepared(
            _replaced(dialect.insert(CHARGEABLE_EVENT), CHARGEABLE_EVENT, "account", "ref_id"),
            EventRow._fields,
        )
        self._words_moved = self._prepared(_WORDS_MOVED, _MOVED)
        self._adjusted = self._prepared(_EVENT_ADJUSTED, AdjustedRow._fields)
        self._adjustment = self._prepared(
            dialect.insert(ADJUSTMENT).on_conflict_do_nothing(), AdjustmentRow._fields
        )
        self._word = self._prepared(_word_kept(dialect.insert(COMMENT_WORD)), WordRow._fields)
        self._request = self._prepared(
            _request_kept(dialect.insert(REQUEST)), Received.__struct_fields__
        )
        asked = dialect.insert(REQUEST)
        self._request_of_answer = self._prepared(
            asked.on_conflict_do_nothing(), Received.__struct_fields__
        )
        self._answer = self._prepared(_answer_kept(dialect.insert(RESULT)), _OF_ANSWER)
        self._position = self._prepared(
            _replaced(dialect.insert(TOPIC_OFFSET), TOPIC_OFFSET, "topic", "partition"),
            ("topic", "partition", "next", "seq"),
        )
        self._batches = BatchProjection(self.engine, dialect)

    def _prepared(self, statement: Any, values: Sequence[str]) -> Prepared:
        return Prepared(self.engine, statement, values)

    def close(self) -> None:
        """Let go of the database; then all of SQLite's file is on the disk."""
        self._held.close()

    def positions(self, cluster_id: str) -> dict[Position, Progress]:
        """Give how far each partition of this cluster was read."""
        with self.engine.begin() as connection:
            if connection.scalar(sql.select(CLUSTER.c.id)) != cluster_id:
                return {}
            rows = connection.execute(sql.select(TOPIC_OFFSET)).all()
        return {(row.topic, row.partition): Progress(row.next, row.seq) for row in rows}

    def start_anew(self, cluster_id: str) -> None:
        """Forget everything, to be read again from this cluster."""
        with self.engine.begin() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(table.delete())
            connection.execute(CLUSTER.insert(), {"id": cluster_id})
        self._batches.forget()

    def keep(self, rows: Rows) -> None:
        """Keep what was read, and how far, in one transaction."""
        try:
            self._keep(rows)
        except BaseException:
            self._batches.forget()  # what it knows was not written
            raise

    def _keep(self, rows: Rows) -> None:
        positions = ((*place, *progress) for place, progress in rows.positions.items())
        with self.engine.begin() as connection:
            self._batches.enter(connection, rows.batches)
            self._account.run(connection, rows.accounts.values())
            self._event.run(connection, rows.events.values())
            self._words_moved.run(connection, map(_moved, rows.events.values()))
            self._adjusted.run(connection, rows.adjusted_events.values())
            self._adjustment.run(connection, rows.adjustments)
            self._word.run(connection, rows.comment_words)
            self._request.run(connection, map(msgspec.structs.astuple, rows.requests))
            self._keep_answers(connection, rows.answers)
            self._position.run(connection, positions)
            self._batches.count(connection, rows.answers)

    def _keep_answers(self, connection: sql.Connection, answers: Sequence[Answer]) -> None:
        """Keep results with their requests, some of which their topic may have no more."""
        if self._answer.run(connection, map(_of_answer, answers)) == len(answers):
            return  # else some are repeats, or have no request
        if self._request_of_answer.run(connection, map(_asked_for, answers)):
            self._answer.run(connection, map(_of_answer, answers))

    def checkpoint(self) -> None:
        """Put commits into SQLite's file beside the writer, which would do it in a commit.

        Raises ReadModelLostError if the file is not there any more: what is open is no use then.
        """
        if _file_of(self.engine) != self._file:
            raise ReadModelLostError(self.engine.url.database)
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


_EVENT_ADJUSTED = (
    CHARGEABLE_EVENT.update()
    .where(CHARGEABLE_EVENT.c.account == sql.bindparam("of_account"))
    .where(CHARGEABLE_EVENT.c.ref_id == sql.bindparam("of_ref_id"))
    .values({name: sql.bindparam(name) for name in ("adjustment_state", "amount", "image")})
)

# Rating may send an event again with another time.
_WORDS_MOVED = sql.text(
    "UPDATE comment_word SET event_at = :event_at WHERE account = :account "
    "AND chargeable_event_ref_id = :ref_id AND event_at <> :event_at"
)
_MOVED = ("event_at", "account", "ref_id", "event_at")
_OF_ANSWER = ("request_offset", "remembered", "status", "value", "of_request", "of_account")


def _replaced(insert: Any, table: sql.Table, *key: str) -> Any:
    """Insert, or replace all but the key."""
    others = {column.name for column in table.columns} - {"id", *key}
    return insert.on_conflict_do_update(
        index_elements=key, set_={name: insert.excluded[name] for name in others}
    )


def _word_kept(insert: Any) -> Any:
    """Keep a word with the time of its event, which is kept before."""
    event = CHARGEABLE_EVENT.c
    found = sql.select(sql.bindparam("word"), event.event_at, event.account, event.ref_id).where(
        event.account == sql.bindparam("of_account"), event.ref_id == sql.bindparam("of_ref_id")
    )
    return insert.from_select(COMMENT_WORD.columns.keys(), found).on_conflict_do_nothing()


def _request_kept(insert: Any) -> Any:
    """Keep what was first asked, once it is well-formed; the offset is the newest one's."""
    is_asked, new = REQUEST.c.asked.is_not(None), insert.excluded
    names = ("chargeable_event_ref_id", "user", "requested_at", "asked")
    return insert.on_conflict_do_update(
        index_elements=[REQUEST.c.request_id, REQUEST.c.account],
        set_={name: sql.case((is_asked, REQUEST.c[name]), else_=new[name]) for name in names}
        | {"topic_offset": new.topic_offset},
        where=REQUEST.c.topic_offset < new.topic_offset,
    )


def _answer_kept(insert: Any) -> Any:
    """Keep the first remembered result for ever, another only until that one comes."""
    names = ("request_offset", "remembered", "status", "value")
    values = (sql.bindparam(name, type_=RESULT.c[name].type) for name in names)
    of_request = sql.select(REQUEST.c.id, *values).where(
        REQUEST.c.request_id == sql.bindparam("of_request"),
        REQUEST.c.account == sql.bindparam("of_account"),
    )
    return insert.from_select(["id", *names], of_request).on_conflict_do_update(
        index_elements=[RESULT.c.id],
        set_={name: insert.excluded[name] for name in names},
        where=sql.not_(RESULT.c.remembered),
    )


def _tuned(*, is_unsynced: bool) -> Callable[[DBAPIConnection, object], None]:
    """Let readers and the writer work side by side; a commit waits for the disk seldom or never.

    After a power cut the last commits may be missing as a whole, offsets included, and are read
    from the topics again; of an unsynced file nothing is kept.
    """

    def tune(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (*_SQLITE, f"synchronous={'OFF' if is_unsynced else 'NORMAL'}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return tune


def _sqlite_file(url: sql.URL) -> Path | None:
    """Give SQLite's file; none where it is in memory, or named as a URI."""
    if url.get_backend_name() != "sqlite" or "uri" in url.query:
        return None
    if url.database in {None, "", ":memory:"}:
        return None
    return Path(str(url.database))


def _file_of(engine: sql.Engine) -> tuple[int, int] | None:
    """Tell SQLite's file from any other of its name."""
    file = _sqlite_file(engine.url)
    if file is None:
        return None
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _migrate(engine: sql.Engine) -> None:
    config, migrations = Config(), str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", migrations.replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _moved(event: EventRow) -> tuple[int, str, str, int]:
    return event.event_at, event.account, event.ref_id, event.event_at


def _of_answer(answer: Answer) -> tuple[int, bool, str, bytes, str, str]:
    return (
        answer.request_offset,
        answer.is_remembered,
        answer.status,
        answer.value,
        answer.request_id,
        answer.account,
    )


def _asked_for(answer: Answer) -> tuple[Any, ...]:
    """Give what is known of a request from its result alone; it stands before any that is read."""
    received = Received(
        request_id=answer.request_id,
        account=answer.account,
        topic_offset=-1,
        chargeable_event_ref_id=answer.chargeable_event_ref_id,
        user=None,
        requested_at=answer.decided_at,
        asked=None,
    )
    return msgspec.structs.astuple(received)

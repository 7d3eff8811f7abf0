"""What REST keeps of the topics in SQL: requests, results, and how far it has read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from api.results import Answer

METADATA = sql.MetaData()
REQUEST = sql.Table(
    "adjustment_request",
    METADATA,
    sql.Column("account", sql.Text, primary_key=True),
    sql.Column("request_id", sql.Text, primary_key=True),
    sql.Column("topic_offset", sql.BigInteger, nullable=False),
    sql.Column("chargeable_event_ref_id", sql.Text),
    sql.Column("requested_at", sql.Text, nullable=False),
    sql.Index("adjustment_request_by_id", "request_id"),
)
RESULT = sql.Table(
    "adjustment_result",
    METADATA,
    sql.Column("account", sql.Text, primary_key=True),
    sql.Column("request_id", sql.Text, primary_key=True),
    sql.Column("request_offset", sql.BigInteger, nullable=False),
    sql.Column("remembered", sql.Boolean, nullable=False),
    sql.Column("value", sql.LargeBinary, nullable=False),
    sql.Index("adjustment_result_by_id", "request_id"),
)
TOPIC_OFFSET = sql.Table(
    "topic_offset",
    METADATA,
    sql.Column("topic", sql.Text, primary_key=True),
    sql.Column("partition", sql.Integer, primary_key=True),
    sql.Column("next", sql.BigInteger, nullable=False),
)
CLUSTER = sql.Table("cluster", METADATA, sql.Column("id", sql.Text, primary_key=True))

Position = tuple[str, int]
"""A topic and a partition number."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it was seen on its topic."""

    account: str
    request_id: str
    topic_offset: int
    chargeable_event_ref_id: str | None
    requested_at: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the request of one account and id stands: decided if there is a value."""

    account: str
    request_id: str
    received: Received | None
    value: bytes | None


class Store:
    """The tables, for one writer and any number of readers. Each call blocks: use threads."""

    def __init__(self, url: str) -> None:
        """Open the database and bring its tables up to date."""
        self._engine = sql.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            sql.event.listen(self._engine, "connect", _tune_sqlite)
            if self._engine.url.database:
                Path(self._engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        _migrate(self._engine)
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        # Building a statement takes longer than running it.
        self._keep_request = _request_kept(dialect.insert(REQUEST))
        self._keep_answer = _answer_kept(dialect.insert(RESULT))
        self._keep_position = _position_kept(dialect.insert(TOPIC_OFFSET))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def positions(self, cluster_id: str) -> dict[Position, int]:
        """Give the next offset to read of each partition of this cluster."""
        with self._engine.begin() as connection:
            if connection.scalar(sql.select(CLUSTER.c.id)) != cluster_id:
                return {}
            rows = connection.execute(sql.select(TOPIC_OFFSET)).all()
        return {(row.topic, row.partition): row.next for row in rows}

    def start_anew(self, cluster_id: str) -> None:
        """Forget everything, to be read again from this cluster."""
        with self._engine.begin() as connection:
            for table in METADATA.sorted_tables:
                connection.execute(table.delete())
            connection.execute(CLUSTER.insert(), {"id": cluster_id})

    def keep(
        self,
        requests: Sequence[Received],
        answers: Sequence[Answer],
        positions: dict[Position, int],
    ) -> None:
        """Keep what was read, and how far, in one transaction."""
        with self._engine.begin() as connection:
            if requests:
                connection.execute(self._keep_request, [asdict(request) for request in requests])
            if answers:
                connection.execute(self._keep_answer, [_row_of(answer) for answer in answers])
            if positions:
                rows = [
                    {"topic": topic, "partition": partition, "next": following}
                    for (topic, partition), following in positions.items()
                ]
                connection.execute(self._keep_position, rows)

    def find(self, request_id: str, account: str | None) -> list[Standing]:
        """Give how the request stands, once for each account that used the id."""
        with self._engine.begin() as connection:
            requests = {
                row.account: Received(**dict(zip(row._fields, row, strict=True)))
                for row in connection.execute(_of(REQUEST, request_id, account))
            }
            results = {
                row.account: row for row in connection.execute(_of(RESULT, request_id, account))
            }
        return [
            _standing(name, request_id, requests.get(name), results.get(name))
            for name in sorted(requests.keys() | results.keys())
        ]


def _request_kept(insert: Any) -> Any:
    """Keep the newest request of an id."""
    names = ("topic_offset", "chargeable_event_ref_id", "requested_at")
    return insert.on_conflict_do_update(
        index_elements=[REQUEST.c.account, REQUEST.c.request_id],
        set_={name: insert.excluded[name] for name in names},
        where=REQUEST.c.topic_offset < insert.excluded.topic_offset,
    )


def _answer_kept(insert: Any) -> Any:
    """Keep the first remembered result for ever, another only until that one comes."""
    names = ("request_offset", "remembered", "value")
    return insert.on_conflict_do_update(
        index_elements=[RESULT.c.account, RESULT.c.request_id],
        set_={name: insert.excluded[name] for name in names},
        where=sql.not_(RESULT.c.remembered),
    )


def _position_kept(insert: Any) -> Any:
    return insert.on_conflict_do_update(
        index_elements=[TOPIC_OFFSET.c.topic, TOPIC_OFFSET.c.partition],
        set_={"next": insert.excluded.next},
    )


def _tune_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Let readers and the writer work side by side; a commit needs no wait for the disk.

    After a power cut the last commits may be missing as a whole, offsets included, and are read
    from the topics again.
    """
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: sql.Engine) -> None:
    config, migrations = Config(), str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", migrations.replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _of(table: sql.Table, request_id: str, account: str | None) -> sql.Select[Any]:
    asked = sql.select(table).where(table.c.request_id == request_id)
    return asked if account is None else asked.where(table.c.account == account)


def _row_of(answer: Answer) -> dict[str, object]:
    return {
        "account": answer.account,
        "request_id": answer.request_id,
        "request_offset": answer.offset,
        "remembered": answer.is_remembered,
        "value": answer.value,
    }


def _standing(
    account: str, request_id: str, received: Received | None, result: sql.Row[Any] | None
) -> Standing:
    """Say how it stands: a result not remembered counts only until the id is used again."""
    is_decided = result is not None and (
        result.remembered or received is None or received.topic_offset <= result.request_offset
    )
    value = result.value if result is not None and is_decided else None
    return Standing(account=account, request_id=request_id, received=received, value=value)

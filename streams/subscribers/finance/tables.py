"""Finance's tables: the last image of each entity, the journal, and how far the topic was read."""

from typing import Any

import sqlalchemy as sql

from streams.subscribers.columns import columns_of
from streams.subscribers.images import ENTITIES

METADATA = sql.MetaData()
_TYPES: dict[str, Any] = {"integer": sql.BigInteger, "boolean": sql.Boolean, "text": sql.Text}
_KEYS = {
    "account": ("ref_id",),
    "chargeable_event": ("account_ref_id", "ref_id"),
    "adjustment": ("ref_id",),
}


def _entity(name: str) -> sql.Table:
    columns = (
        sql.Column(column.name, _TYPES[column.kind], nullable=column.is_nullable)
        for column in columns_of(ENTITIES[name])
    )
    return sql.Table(
        name,
        METADATA,
        *columns,
        sql.Column("topic_partition", sql.Integer, nullable=False),
        sql.Column("topic_offset", sql.BigInteger, nullable=False),
        sql.PrimaryKeyConstraint(*_KEYS[name]),
    )


ENTITY_TABLES = {name: _entity(name) for name in ENTITIES}

JOURNAL_ENTRY = sql.Table(
    "journal_entry",
    METADATA,
    sql.Column("adjustment_ref_id", sql.Text, nullable=False),
    sql.Column("line", sql.Integer, nullable=False),
    sql.Column("gl_account", sql.Text, nullable=False),
    sql.Column("amount", sql.BigInteger, nullable=False),  # micro-units, a debit above zero
    sql.Column("currency", sql.Text, nullable=False),
    sql.Column("requested_at", sql.Text, nullable=False),
    sql.Column("billing_treatment", sql.Text, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    sql.PrimaryKeyConstraint("adjustment_ref_id", "line"),
    sql.Index("journal_entry_by_time", "requested_at"),
    sqlite_with_rowid=False,
)
DAILY_TOTAL = sql.Table(
    "daily_total",
    METADATA,
    sql.Column("day", sql.Text, nullable=False),  # UTC, of requested_at
    sql.Column("currency", sql.Text, nullable=False),
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("gl_account", sql.Text, nullable=False),
    sql.Column("amount", sql.BigInteger, nullable=False),
    sql.Column("lines", sql.BigInteger, nullable=False),
    sql.PrimaryKeyConstraint("day", "currency", "reason", "gl_account"),
    # A sum beyond 64 bits would become a float there, without a word.
    sql.CheckConstraint("typeof(amount) = 'integer'").ddl_if(dialect="sqlite"),
)
SET_ASIDE = sql.Table(
    "set_aside",
    METADATA,
    sql.Column("topic_partition", sql.Integer, nullable=False),
    sql.Column("topic_offset", sql.BigInteger, nullable=False),
    sql.Column("timestamp_ms", sql.BigInteger, nullable=False),
    sql.Column("code", sql.Text),
    sql.Column("key", sql.LargeBinary),
    sql.Column("value", sql.LargeBinary),
    sql.Column("fault", sql.Text, nullable=False),
    sql.PrimaryKeyConstraint("topic_partition", "topic_offset"),
)
TOPIC_OFFSET = sql.Table(
    "topic_offset",
    METADATA,
    sql.Column("topic", sql.Text, nullable=False),
    sql.Column("partition", sql.Integer, nullable=False),
    sql.Column("next", sql.BigInteger, nullable=False),
    sql.Column("seq", sql.BigInteger),  # of the last business transaction
    sql.Column("digest", sql.Text),  # of the last record, to see whether the topic still has it
    sql.PrimaryKeyConstraint("topic", "partition"),
)
# One row. Whoever works here has the newest turn; its beat shows that it is alive.
HOLDER = sql.Table(
    "holder",
    METADATA,
    sql.Column("turn", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("beat", sql.BigInteger),  # null: nobody
)

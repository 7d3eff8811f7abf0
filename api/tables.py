"""The read model's tables: what REST keeps of the topics, narrow, with few indexes.

Every row is a message as it was published, and beside it what is searched by. All of it is a cache:
without it everything is read again from the topics.
"""

from hashlib import sha256

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
TEXT_MAX = 256  # characters of a text that PostgreSQL keeps as it is; no valid id has more


class PostgresText(sql.TypeDecorator[str]):
    """Text as PostgreSQL can keep and index it, when written and when looked for alike.

    NUL it does not take, and no more than 2.7 kB in an index; malformed requests have both. What
    stands for such a text has a letter that no valid id has.
    """

    impl = postgresql.TEXT
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: object) -> str | None:
        """Replace NUL, and what is too long by its beginning and its digest."""
        if value is None:
            return None
        if len(value) > TEXT_MAX:
            digest = sha256(value.encode(errors="replace")).hexdigest()
            value = f"{value[: TEXT_MAX // 2]}{REPLACEMENT}{digest}"
        return value.replace("\0", REPLACEMENT)


class Bytes(sql.LargeBinary):
    """Bytes as they are: the drivers take them so, and wrapping each costs a tenth of a commit."""

    def bind_processor(self, _dialect: object) -> None:
        """Leave them alone."""


METADATA = sql.MetaData()
# Ordered by bytes everywhere, so that a beginning is a range and a page has one order.
TEXT = sql.Text().with_variant(PostgresText(collation="C"), "postgresql")

ACCOUNT = sql.Table(
    "account",
    METADATA,
    sql.Column("ref_id", TEXT, primary_key=True),
    sql.Column("external_id", TEXT),
    sql.Column("image", Bytes, nullable=False),
    sql.Index("account_by_external_id", "external_id", "ref_id"),
    sql.Index("account_by_ref_id", "ref_id", "external_id"),  # in a fraction of the rows' room
)

# `id` is SQLite's own row number: indexes point with it, and it takes no room.
_ID = sql.BigInteger().with_variant(sql.Integer, "sqlite")
CHARGEABLE_EVENT = sql.Table(
    "chargeable_event",
    METADATA,
    sql.Column("id", _ID, sql.Identity(), primary_key=True),
    sql.Column("account", TEXT, nullable=False),
    sql.Column("ref_id", TEXT, nullable=False),
    sql.Column("event_at", sql.BigInteger, nullable=False),  # microseconds since 1970, UTC
    sql.Column("usage_type", TEXT, nullable=False),
    sql.Column("kind", TEXT, nullable=False),
    sql.Column("status", TEXT, nullable=False),
    sql.Column("currency", TEXT, nullable=False),
    sql.Column("adjustment_state", TEXT, nullable=False),
    sql.Column("amount", sql.BigInteger, nullable=False),  # current.taxIncludedAmount
    sql.Column("image", Bytes, nullable=False),
    sql.UniqueConstraint("account", "ref_id", name="chargeable_event_of_account"),
)
# A page is read along one of these, newest first, or its rows are found by one and then put in
# order; so all have the time. All but the last two never change with an adjustment, which so
# costs little.
sql.Index(
    "chargeable_event_by_time",
    CHARGEABLE_EVENT.c.event_at.desc(),
    CHARGEABLE_EVENT.c.account,
    CHARGEABLE_EVENT.c.ref_id,
)
sql.Index("chargeable_event_by_account", CHARGEABLE_EVENT.c.account, CHARGEABLE_EVENT.c.event_at)
sql.Index("chargeable_event_by_ref_id", CHARGEABLE_EVENT.c.ref_id, CHARGEABLE_EVENT.c.event_at)
sql.Index("chargeable_event_by_usage", CHARGEABLE_EVENT.c.usage_type, CHARGEABLE_EVENT.c.event_at)
sql.Index("chargeable_event_by_kind", CHARGEABLE_EVENT.c.kind, CHARGEABLE_EVENT.c.event_at)
sql.Index("chargeable_event_by_status", CHARGEABLE_EVENT.c.status, CHARGEABLE_EVENT.c.event_at)
sql.Index("chargeable_event_by_currency", CHARGEABLE_EVENT.c.currency, CHARGEABLE_EVENT.c.event_at)
sql.Index("chargeable_event_by_amount", CHARGEABLE_EVENT.c.amount, CHARGEABLE_EVENT.c.event_at)
sql.Index(
    "chargeable_event_adjusted",
    CHARGEABLE_EVENT.c.adjustment_state,
    CHARGEABLE_EVENT.c.event_at,
    sqlite_where=CHARGEABLE_EVENT.c.adjustment_state != "NONE",
    postgresql_where=CHARGEABLE_EVENT.c.adjustment_state != "NONE",
)

ADJUSTMENT = sql.Table(
    "adjustment",
    METADATA,
    sql.Column("account", TEXT, primary_key=True),
    sql.Column("chargeable_event_ref_id", TEXT, primary_key=True),
    sql.Column(  # the order of a history
        "event_version", sql.BigInteger, primary_key=True, autoincrement=False
    ),
    sql.Column("request_id", TEXT, nullable=False),
    sql.Column("reversal_of", TEXT),
    sql.Column("image", Bytes, nullable=False),
)
sql.Index(
    "adjustment_reversed",
    ADJUSTMENT.c.reversal_of,
    sqlite_where=ADJUSTMENT.c.reversal_of.is_not(None),
    postgresql_where=ADJUSTMENT.c.reversal_of.is_not(None),
)

# The time is the event's, so that the newest of many are found without the others.
COMMENT_WORD = sql.Table(
    "comment_word",
    METADATA,
    sql.Column("word", TEXT, primary_key=True),
    sql.Column("event_at", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("account", TEXT, primary_key=True),
    sql.Column("chargeable_event_ref_id", TEXT, primary_key=True),
    sql.Index("comment_word_of_event", "account", "chargeable_event_ref_id"),
    sqlite_with_rowid=False,
)

# What was first asked stands for its id, as it does in the engine; the offset is the newest one's.
REQUEST = sql.Table(
    "adjustment_request",
    METADATA,
    sql.Column("id", _ID, sql.Identity(), primary_key=True),
    sql.Column("request_id", TEXT, nullable=False),
    sql.Column("account", TEXT, nullable=False),
    sql.Column("topic_offset", sql.BigInteger, nullable=False),
    sql.Column("chargeable_event_ref_id", TEXT),
    sql.Column("user", TEXT),
    sql.Column("requested_at", TEXT, nullable=False),
    sql.Column("asked", Bytes),  # the first well-formed request's value
    sql.UniqueConstraint("request_id", "account", name="adjustment_request_of_account"),
    sql.Index("adjustment_request_by_account", "account", "requested_at"),
    sql.Index("adjustment_request_by_event", "chargeable_event_ref_id", "requested_at"),
    sql.Index("adjustment_request_by_user", "user", "requested_at"),
    sql.Index("adjustment_request_by_time", "requested_at"),
)
# By its request's number: results come in the order of requests, requestIds in none.
RESULT = sql.Table(
    "adjustment_result",
    METADATA,
    sql.Column("id", _ID, primary_key=True, autoincrement=False),
    sql.Column("request_offset", sql.BigInteger, nullable=False),
    sql.Column("remembered", sql.Boolean, nullable=False),
    sql.Column("status", TEXT, nullable=False),
    sql.Column("value", Bytes, nullable=False),
)

TOPIC_OFFSET = sql.Table(
    "topic_offset",
    METADATA,
    sql.Column("topic", TEXT, primary_key=True),
    sql.Column("partition", sql.Integer, primary_key=True),
    sql.Column("next", sql.BigInteger, nullable=False),
    sql.Column("seq", sql.BigInteger, nullable=False),  # of the last business transaction
)
CLUSTER = sql.Table("cluster", METADATA, sql.Column("id", TEXT, primary_key=True))

# What was asked, and how far it is: a report is one row, and its refusals.
BATCH = sql.Table(
    "batch",
    METADATA,
    sql.Column("batch_id", TEXT, primary_key=True),
    sql.Column("user", TEXT, nullable=False),
    sql.Column("requested_at", TEXT, nullable=False),
    sql.Column("partition", sql.Integer, nullable=False),
    sql.Column("content", Bytes, nullable=False),
    sql.Column("selection", TEXT),  # none as long as it is not complete
    sql.Column("matched", sql.BigInteger, nullable=False),
    sql.Column("applied", sql.BigInteger, nullable=False),
    sql.Column("refused", sql.BigInteger, nullable=False),
    sql.Column("tax_excluded", sql.BigInteger, nullable=False),
    sql.Column("tax", sql.BigInteger, nullable=False),
    sql.Column("tax_included", sql.BigInteger, nullable=False),
    sql.Column("decided_at", TEXT, nullable=False),  # the newest result's time
    sql.Column("finished_at", TEXT),
    sql.Index("batch_by_time", "requested_at", "batch_id"),
)
sql.Index(
    "batch_running",
    BATCH.c.batch_id,
    sqlite_where=BATCH.c.finished_at.is_(None),
    postgresql_where=BATCH.c.finished_at.is_(None),
)
BATCH_REFUSAL = sql.Table(
    "batch_refusal",
    METADATA,
    sql.Column("batch_id", TEXT, primary_key=True),
    sql.Column("code", TEXT, primary_key=True),
    sql.Column("times", sql.BigInteger, nullable=False),
)
# A selection is a few rows, each of as many items as a record of its topic has.
BATCH_PART = sql.Table(
    "batch_part",
    METADATA,
    sql.Column("batch_id", TEXT, primary_key=True),
    sql.Column("selection", TEXT, primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),  # of its first item
    sql.Column("size", sql.Integer, nullable=False),
    sql.Column("least", TEXT, nullable=False),  # of what the items are ordered by
    sql.Column("greatest", TEXT, nullable=False),
    sql.Column("content", Bytes, nullable=False),
)
# Of the batch's own selection, those that are decided.
BATCH_ITEM = sql.Table(
    "batch_item",
    METADATA,
    sql.Column("batch_id", TEXT, primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("request_id", TEXT, nullable=False),
    sql.Column("account", TEXT, nullable=False),
    sql.Column("status", TEXT, nullable=False),
    sqlite_with_rowid=False,
)
sql.Index(
    "batch_item_refused",
    BATCH_ITEM.c.batch_id,
    BATCH_ITEM.c.number,
    sqlite_where=BATCH_ITEM.c.status == "REFUSED",
    postgresql_where=BATCH_ITEM.c.status == "REFUSED",
)

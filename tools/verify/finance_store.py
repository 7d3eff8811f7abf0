"""One moment of Finance's database, read in one transaction that stays open."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from tools.verify.held import AbsentError, Held
from tools.verify.rows import TABLES, columns_of

ROWS_AT_ONCE = 5_000


class FinanceStore:
    """The rows as digests, and whatever is asked for of the same moment."""

    name = "Finance"

    def __init__(self, url: str) -> None:
        """Read positions and rows. Raises AbsentError; SQLAlchemyError if it cannot be read."""
        self.absent_columns: list[str] = []
        self._connection = _connect(url)
        positions = self._all("topic_offset", "topic = :topic", {"topic": "business-transactions"})
        self.following = {int(row["partition"]): int(row["next"]) for row in positions}
        self.seqs = {int(row["partition"]): row["seq"] for row in positions}
        self.tables = {table: self._held(table) for table in TABLES}

    def close(self) -> None:
        """Let go of the moment."""
        self._connection.close()
        self._connection.engine.dispose()

    def at(self, table: str, partition: int, offset: int) -> Sequence[Mapping[str, Any]]:
        """Look up the rows that say they come from a record."""
        where = "topic_partition = :partition AND topic_offset = :offset"
        return self._all(table, where, {"partition": partition, "offset": offset})

    def of_key(self, table: str, names: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """Look up an entity."""
        return self._all(table, " AND ".join(f"{name} = :{name}" for name in names), names)

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Give the journal, the lines of an adjustment together."""
        return self._rows("journal_entry", "TRUE ORDER BY adjustment_ref_id, line")

    def lines_of(self, adjustment: str) -> Sequence[Mapping[str, Any]]:
        """Give the lines of one adjustment."""
        where = "adjustment_ref_id = :adjustment ORDER BY line"
        return self._all("journal_entry", where, {"adjustment": adjustment})

    def totals(self) -> Iterator[Mapping[str, Any]]:
        """Give the daily totals."""
        return self._rows("daily_total")

    def receivables(self) -> Iterator[tuple[str, int]]:
        """Give each account that adjustments were posted for, with the sum of the first lines."""
        result = self._connection.execute(
            sql.text(
                "SELECT account_ref_id, SUM(amount) FROM journal_entry JOIN adjustment "
                "ON ref_id = adjustment_ref_id WHERE line = 1 GROUP BY account_ref_id"
            )
        )
        return ((str(account), int(amount)) for account, amount in result)

    def _held(self, table: str) -> Held:
        wished = columns_of(table)
        there = {column["name"] for column in sql.inspect(self._connection).get_columns(table)}
        self.absent_columns += [f"{table}.{name}" for name in wished if name not in there]
        held = Held([name for name in wished if name in there])
        for row in self._rows(table):
            held.add(row)
        return held

    def _all(
        self, table: str, where: str, values: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        return list(self._rows(table, where, values))

    def _rows(
        self, table: str, where: str = "TRUE", values: Mapping[str, Any] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        query = sql.select(sql.text("*")).select_from(sql.table(table)).where(sql.text(where))
        result = self._connection.execute(
            query, dict(values or {}), execution_options={"yield_per": ROWS_AT_ONCE}
        )
        names = tuple(result.keys())
        yield from (dict(zip(names, row, strict=True)) for row in result)


def _connect(url: str) -> sql.Connection:
    """Begin a transaction that sees one moment. Raises AbsentError."""
    address = sql.make_url(url)
    is_sqlite = address.get_backend_name() == "sqlite"
    if is_sqlite and not (address.database and Path(address.database).exists()):
        raise AbsentError(f"There is no {address.database}.")
    isolation = "AUTOCOMMIT" if is_sqlite else "REPEATABLE READ"
    connection = sql.create_engine(address, isolation_level=isolation).connect()
    if is_sqlite:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
    if not sql.inspect(connection).has_table("topic_offset"):
        raise AbsentError(f"There are no tables of Finance in {address.render_as_string()}.")
    return connection

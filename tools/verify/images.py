"""Compares the rows of a store with the records that they say they come from."""

from collections.abc import Iterator, Mapping

from tools.verify.checks import Report
from tools.verify.held import Store
from tools.verify.log import Bounds, Record
from tools.verify.rows import SET_ASIDE, TABLES, Row, address_of, difference, name_of, plain, seq_of
from tools.verify.standing import Looked, Standing


class Position:
    """How far a store says it is: only what comes before can be compared."""

    def __init__(self, store: Store, report: Report) -> None:
        """Begin before the first record."""
        self._store = store
        self._report = report
        self._check = report.check("its position is on the topic")
        self._seqs: dict[int, int] = {}
        self._behind = 0

    def covers(self, record: Record) -> bool:
        """Whether the store says that it has this record; the others are counted."""
        if record.offset >= self._store.following.get(record.partition, 0):
            self._behind += 1
            return False
        seq = seq_of(record)
        if seq is not None:
            self._seqs[record.partition] = seq
        return True

    def finish(self, bounds: Bounds) -> None:
        """Say where the store is."""
        for partition, following in self._store.following.items():
            self._check.rows += 1
            for fault in self._faults(partition, following, bounds.ends.get(partition, 0)):
                self._check.say(f"{self._store.name}, position in partition {partition}: {fault}.")
        records = f"{self._behind} record{'' if self._behind == 1 else 's'} behind"
        where = f"{records} the end" if self._behind else "at the end"
        self._report.looked = Looked(
            self._report.kind,
            self._store.name,
            Standing.BEHIND if self._behind else Standing.WHOLE,
            self._behind,
            f"{self._store.name}: {where} of the topic.",
        )
        if any(bounds.begins.values()):
            self._report.notes.append(
                f"{self._store.name}: the beginning of the topic has expired, and was not compared."
            )

    def _faults(self, partition: int, following: int, end: int) -> Iterator[str]:
        if following > end:
            yield f"the next offset is {following}, but the topic ends at {end}"
        seq, last = self._store.seqs.get(partition), self._seqs.get(partition, 0)
        if seq is not None and seq != last:
            yield f"seq is {seq}, must be {last} as in the last record before offset {following}"


class Images:
    """Each row is what its record says."""

    def __init__(self, store: Store, report: Report) -> None:
        """Begin with a check for each table."""
        self._store = store
        self._checks = {
            table: report.check(f"{table} is what the topic says")
            for table in TABLES
            if table in store.tables
        }
        for table, check in self._checks.items():
            check.rows = store.tables[table].count
        for column in store.absent_columns:
            self._checks[column.split(".")[0]].say(f"{store.name}: there is no column {column}.")

    def enter(self, row: Row) -> bool:
        """Compare; tell whether there is a row at all."""
        if row.table not in self._checks:
            return False
        meeting = self._store.tables[row.table].meet(row)
        where = f"{self._store.name}, {row.name}"
        if meeting.rows and not meeting.right:
            self._checks[row.table].say(lambda: self._differences(row))
        if meeting.rows > 1:
            self._checks[row.table].say(f"{where}: stands {meeting.rows} times ({row.address}).")
        return meeting.rows > 0

    def miss(self, row: Row, instead: str = "") -> None:
        """Say that a row is missing."""
        if row.table in self._checks:
            self._checks[row.table].say(
                f"{self._store.name}, {row.name}: {instead or 'is missing'} ({row.address})."
            )

    def finish(self, bounds: Bounds) -> None:
        """Say which rows nobody published."""
        for table, check in self._checks.items():
            held = self._store.tables[table]
            if held.placeless:
                check.say(f"{self._store.name}, {table}: {held.placeless} rows name no record.")
            for partition, offset in held.strays():
                if offset >= bounds.begins.get(partition, 0):
                    check.say(lambda at=(table, partition, offset): self._stray(*at))  # type: ignore[misc]

    def _differences(self, row: Row) -> str:
        columns = self._store.tables[row.table].columns
        stored = self._store.at(row.table, row.partition, row.offset)
        found = "; ".join(_differing(columns, each, row) for each in stored) or "differs"
        return f"{self._store.name}, {row.name}: {found} ({row.address})."

    def _stray(self, table: str, partition: int, offset: int) -> str:
        stored = self._store.at(table, partition, offset)
        name = name_of(table, stored[0]) if stored else f"a row of {table}"
        address = address_of(partition, offset)
        what = "such record" if table == SET_ASIDE else table.replace("_", " ")
        return (
            f"{self._store.name}, {name}: must not stand there; before the store's position "
            f"the topic has no {what} at {address}."
        )


def _differing(columns: tuple[str, ...], stored: Mapping[str, object], row: Row) -> str:
    return ", ".join(
        difference(column, found, expected)
        for column in columns
        if (found := plain(stored.get(column))) != (expected := plain(row.values[column]))
    )

"""Proves that Finance's database holds exactly what the topic says, up to its own position."""

from collections import defaultdict

from tools.verify.checks import Report
from tools.verify.finance_store import FinanceStore
from tools.verify.images import Images, Position
from tools.verify.journal import Journal
from tools.verify.log import Bounds, Record
from tools.verify.rows import ACCOUNT, ADJUSTMENT, EVENT, SET_ASIDE, Row, address_of
from tools.verify.standing import Kind


class FinanceCheck:
    """Finance's tables against the records, which are entered in the order of the topic."""

    def __init__(self, store: FinanceStore) -> None:
        """Begin with one moment of the database, which was read already."""
        self.report = Report(Kind.FINANCE, store.name, "I8")
        self._store = store
        self._position = Position(store, self.report)
        self._images = Images(store, self.report)
        self._journal = Journal(store, self.report)
        # Newest records whose row was not met, by table and partition, then by key.
        self._unmet: defaultdict[tuple[str, int], dict[str, int]] = defaultdict(dict)

    def enter(self, record: Record, row: Row) -> None:
        """Compare what the record says, which is the row."""
        if not self._position.covers(record):
            return
        is_met = self._images.enter(row)
        if row.table == SET_ASIDE:
            if not is_met:
                self._images.miss(row)
            return
        unmet = self._unmet[row.table, row.partition]
        if is_met:
            unmet.pop(_key(row), None)
        else:
            unmet[_key(row)] = row.offset
        if row.table == EVENT:
            self._journal.enter_event(row)
        elif row.table == ADJUSTMENT:
            self._journal.enter_adjustment(row)

    def finish(self, bounds: Bounds) -> Report:
        """Say what was found."""
        self._position.finish(bounds)
        for (table, partition), unmet in self._unmet.items():
            for key, offset in unmet.items():
                self._miss(table, key, (partition, offset))
        self._images.finish(bounds)
        self._journal.finish(is_whole=not any(bounds.begins.values()))
        return self.report

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _miss(self, table: str, key: str, at: tuple[int, int]) -> None:
        """Say that the last image of an entity is not what stands there."""
        names = dict(zip(_KEYS[table], key.split("/", len(_KEYS[table]) - 1), strict=True))
        place = {"topic_partition": at[0], "topic_offset": at[1]}
        stored = self._store.of_key(table, names)
        instead = "is missing"
        if stored:
            shown = address_of(stored[0]["topic_partition"], stored[0]["topic_offset"])
            instead = f"stands as it was at {shown}, not as it was published last"
        self._images.miss(Row(table, names | place), instead)


_KEYS = {ACCOUNT: ("ref_id",), EVENT: ("account_ref_id", "ref_id"), ADJUSTMENT: ("ref_id",)}


def _key(row: Row) -> str:
    return "/".join(row.values[name] for name in _KEYS[row.table])

"""Proves that the warehouse holds every image that the topic has, up to its own position."""

from tools.verify.checks import Report
from tools.verify.images import Images, Position
from tools.verify.log import Bounds, Record
from tools.verify.rows import Row
from tools.verify.standing import Kind
from tools.verify.warehouse_store import WarehouseStore

NAMES_MAX = 3


class WarehouseCheck:
    """The rows of all files against the records, which are entered in the order of the topic."""

    def __init__(self, store: WarehouseStore) -> None:
        """Begin with one moment of the warehouse, which was read already."""
        self.report = Report(Kind.WAREHOUSE, store.name, "I9")
        self._store = store
        self._position = Position(store, self.report)
        self._files = self.report.check("files are there and named for their rows")
        self._images = Images(store, self.report)

    def enter(self, record: Record, row: Row) -> None:
        """Compare what the record says, which is the row."""
        if self._position.covers(record) and not self._images.enter(row):
            self._images.miss(row)

    def finish(self, bounds: Bounds) -> Report:
        """Say what was found."""
        self._position.finish(bounds)
        self._images.finish(bounds)
        self._files.rows = self._store.files
        for fault in self._store.faults:
            self._files.say(f"{self._store.name}: {fault}.")
        if unnamed := self._store.unnamed:
            names = ", ".join(unnamed[:NAMES_MAX])
            more = "" if len(unnamed) <= NAMES_MAX else f" and {len(unnamed) - NAMES_MAX} more"
            self.report.notes.append(
                f"{self._store.name}: files lie there that no commit names, and do not count: "
                f"{names}{more}."
            )
        return self.report

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

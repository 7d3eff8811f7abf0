"""The local store of one unit in one worker's folder: it survives its process."""

from collections.abc import Mapping, Sequence

from streams.delivery.protocol import Local, Mark

Rows = Sequence[tuple[bytes, bytes | None]]


class Disk:
    """Each write is whole or not at all, as RocksDB's write batches are."""

    def __init__(self) -> None:
        self.rows: dict[bytes, dict[bytes, bytes]] = {}
        self.next: dict[str, int] = {}
        self.mark: Mark | None = None
        self.damage: str | None = None

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """A row."""
        rows = self.rows.get(table)
        return None if rows is None else rows.get(key)

    def local(self, changelogs: Sequence[str]) -> Local:
        """What the store says of itself."""
        if self.damage:
            return Local(None, {}, self.damage)
        return Local(self.mark, {topic: self.next.get(topic, 0) for topic in changelogs})

    def write(
        self, rows: Mapping[bytes, Rows], next_: Mapping[str, int], mark: Mark | None = None
    ) -> None:
        """One write batch."""
        for table, changed in rows.items():
            kept = self.rows.setdefault(table, {})
            for key, row in changed:
                if row is None:
                    kept.pop(key, None)
                else:
                    kept[key] = row
        self.next.update(next_)
        if mark:
            self.mark = mark

    def drop(self) -> None:
        """Begin anew."""
        self.rows, self.next, self.mark, self.damage = {}, {}, None, None

    def copy(self) -> "Disk":
        """As it is now."""
        other = Disk()
        other.put_back(self)
        return other

    def put_back(self, older: "Disk") -> None:
        """Become what it was."""
        self.rows = {table: dict(rows) for table, rows in older.rows.items()}
        self.next, self.mark, self.damage = dict(older.next), older.mark, older.damage

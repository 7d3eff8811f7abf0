"""The local store of one unit: rows in RocksDB, with the changelogs' offsets that they reach."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rocksdict import (
    BlockBasedOptions,
    Cache,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
)

from streams.delivery.protocol import Local, Mark

MEMORY_BYTES = 32 << 20  # of all stores of a worker: for writes, and again for reads
SST_END = bytes.fromhex("f7cff485b741e288")  # RocksDB's magic number of a block-based table
_MARK, _NEXT = b"\0mark", b"\0next\0"  # begin with a zero: no table's name does

Rows = Sequence[tuple[bytes, bytes | None]]  # None: the row is deleted


class StoreMemory:
    """One budget for all stores of a worker; with buffers of their own 12 take 768 MB."""

    def __init__(self) -> None:
        self.blocks = Cache(MEMORY_BYTES)
        self.writes = WriteBufferManager(MEMORY_BYTES, False)  # noqa: FBT003 - takes no keyword


class Store:
    """Rows of all tables of one unit; a cache of the changelogs, never the truth."""

    def __init__(self, path: Path, memory: StoreMemory) -> None:
        self.path, self.memory = path, memory
        self.database: Any = None  # an Rdict while open

    def open(self) -> None:
        """Open the store, or make it."""
        if self.database is not None:
            return
        shutil.rmtree(self._gone, ignore_errors=True)
        options, blocks = Options(raw_mode=True), BlockBasedOptions()
        options.create_if_missing(True)  # noqa: FBT003 - takes no keyword
        options.set_level_zero_file_num_compaction_trigger(8)
        options.set_write_buffer_manager(self.memory.writes)
        blocks.set_bloom_filter(10, False)  # noqa: FBT003 - takes no keyword
        blocks.set_block_cache(self.memory.blocks)
        options.set_block_based_table_factory(blocks)
        # Named, since an existing family is else opened with what its file says: without filter.
        self.database = Rdict(str(self.path), options, {"default": options})

    def close(self) -> None:
        """Close it; may be called twice."""
        if self.database is not None:
            self.database.close()
            self.database = None

    def drop(self) -> None:
        """Delete the folder and begin anew; renamed first, so that no half of it is ever opened."""
        self.close()
        if self.path.exists():
            shutil.rmtree(self._gone, ignore_errors=True)
            self.path.rename(self._gone)
        self.open()

    @property
    def _gone(self) -> Path:
        return self.path.with_suffix(".gone")

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """The committed row."""
        row: bytes | None = self.database.get(table + b"\0" + key)
        return row

    def local(self, changelogs: list[str]) -> Local:
        """Open the store; what it says of itself, or why it cannot be trusted."""
        if damage := self._open_checked():
            return Local(None, {}, damage)
        mark = self.database.get(_MARK)
        offsets = {
            topic: int(self.database.get(_NEXT + topic.encode()) or 0) for topic in changelogs
        }
        return Local(msgspec.json.decode(mark, type=Mark) if mark else None, offsets)

    def _open_checked(self) -> str | None:
        """Open the store, unless it is open; why it cannot be trusted.

        Where RocksDB's list of files was cut short it opens what the list still names, deletes the
        other files and adds the newest rows from its log: the mark is the newest, and older rows
        are missing. Only the files tell, and only the first time: so a note stays in the folder
        until they were looked at. A kill between the end of a file and its entry in the list looks
        the same, and costs a replay.
        """
        if self.database is not None:
            return None
        note = self.path / "unchecked"
        if note.exists():
            return "it was opened once without being checked"
        tables = {file.name for file in self.path.glob("*.sst") if _is_whole(file)}
        self.path.mkdir(parents=True, exist_ok=True)
        note.touch()
        try:
            self.open()
        except Exception as error:  # noqa: BLE001 - RocksDB's are of no other type
            return f"it cannot be opened: {str(error).splitlines()[0]}"
        if forgotten := tables - self._tables_in_use():
            self.close()
            return f"its list of files lacks {', '.join(sorted(forgotten))}"
        note.unlink()
        return None

    def _tables_in_use(self) -> set[str]:
        return {file["name"].strip("/") for file in self.database.live_files()}

    def write(
        self, rows: Mapping[bytes, Rows], next_: dict[str, int], mark: Mark | None = None
    ) -> None:
        """Rows by table, the changelogs' offsets they reach and the mark, in one write."""
        batch = WriteBatch(raw_mode=True)
        for table, changed in rows.items():
            prefix = table + b"\0"
            for key, row in changed:
                if row is None:
                    batch.delete(prefix + key)
                else:
                    batch.put(prefix + key, row)
        for topic, offset in next_.items():
            batch.put(_NEXT + topic.encode(), b"%d" % offset)
        if mark:
            batch.put(_MARK, msgspec.json.encode(mark))
        self.database.write(batch)


def _is_whole(table: Path) -> bool:
    """Whether RocksDB wrote it to its end; it lists no other."""
    with table.open("rb") as file:
        file.seek(max(0, table.stat().st_size - len(SST_END)))
        return file.read() == SST_END

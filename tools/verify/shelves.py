"""Books of any size: in memory while they are small, in RocksDB on disk from then on.

A partition number may hold nearly all that there is, so that even a few bytes of each record are
too many for memory.
"""

import tempfile
from collections.abc import Iterator, MutableMapping
from types import TracebackType
from typing import Any, Self

from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteOptions

IN_MEMORY_MAX = 50_000  # entries of one shelf
BYTES_IN_MEMORY = 64 << 20  # of what was read from all shelves on disk, and of what was written


class Shelves:
    """Shelves that go away together; the folder is made when the first of them goes to disk."""

    def __init__(self, in_memory_max: int = IN_MEMORY_MAX) -> None:
        """Begin without shelves."""
        self.in_memory_max = in_memory_max
        self._count = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._database: Any = None

    def shelf(self) -> "Shelf":
        """Make a shelf."""
        self._count += 1
        return Shelf(self, self._count.to_bytes(2, "big"))

    def database(self) -> Any:
        """Open what is on disk, which is never read again by another process."""
        if self._database is None:
            self._folder = tempfile.TemporaryDirectory(prefix="adjust-verify-")
            options, blocks = Options(raw_mode=True), BlockBasedOptions()
            options.create_if_missing(True)  # noqa: FBT003 - takes no keyword
            options.set_db_write_buffer_size(BYTES_IN_MEMORY)
            blocks.set_bloom_filter(10, False)  # noqa: FBT003 - takes no keyword
            blocks.set_block_cache(Cache(BYTES_IN_MEMORY))
            options.set_block_based_table_factory(blocks)
            self._database = Rdict(self._folder.name, options=options)
            writes = WriteOptions()
            writes.disable_wal = True  # type: ignore[assignment,method-assign]  # its stub is wrong
            self._database.set_write_options(writes)
        return self._database

    def __enter__(self) -> Self:
        """Take everything away in the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take everything away, whatever happened."""
        if self._database is not None and self._folder is not None:
            self._database.close()
            self._folder.cleanup()


class Shelf(MutableMapping[bytes, bytes]):
    """A book: bytes by bytes. No order is promised."""

    def __init__(self, shelves: Shelves, name: bytes) -> None:
        """Begin with nothing on it."""
        self._shelves, self._name = shelves, name
        self._kept: dict[bytes, bytes] = {}
        self._database: Any = None
        self._count = 0

    def get(self, key: bytes, default: Any = None) -> Any:
        """Give what stands there, quicker than by an exception."""
        if self._database is None:
            return self._kept.get(key, default)
        return self._database.get(self._name + key, default)

    def __getitem__(self, key: bytes) -> bytes:
        """Give what stands there. Raises KeyError."""
        found: bytes | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: bytes, content: bytes) -> None:
        """Put it there."""
        if self._database is not None:
            self._count += (self._name + key) not in self._database
            self._database[self._name + key] = content
            return
        self._kept[key] = content
        if len(self._kept) > self._shelves.in_memory_max:
            self._go_to_disk()

    def __delitem__(self, key: bytes) -> None:
        """Take it away. Raises KeyError."""
        if self._database is None:
            del self._kept[key]
            return
        if key not in self:
            raise KeyError(key)
        del self._database[self._name + key]
        self._count -= 1

    def __iter__(self) -> Iterator[bytes]:
        """Give all keys."""
        yield from (key for key, _ in self.entries())

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Give all keys with what stands there, in one go."""
        if self._database is None:
            yield from self._kept.items()
            return
        for key, content in self._database.items(from_key=self._name):
            if not key.startswith(self._name):
                return
            yield key[len(self._name) :], content

    def __len__(self) -> int:
        """Count them."""
        return len(self._kept) + self._count

    def _go_to_disk(self) -> None:
        self._database = self._shelves.database()
        for key, content in self._kept.items():
            self._database[self._name + key] = content
        self._count = len(self._kept)
        self._kept = {}

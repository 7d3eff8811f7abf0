"""Lets aiokafka read records whose header names are not UTF-8: it would stop at them for ever.

Anybody may write such a record. All headers of it count as absent; the record beside it keeps its
own. Each process that reads what others may write calls `accept_any_header_name` once, at its
start.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import (
    DefaultRecordBatch,
    _DefaultRecordBatchPy,
    _DefaultRecordPy,
)
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint


def accept_any_header_name() -> None:
    """Replace what cuts fetched bytes into batches, for all consumers of this process."""
    fetcher.MemoryRecords = _Records


class _Records:
    """Fetched bytes of one partition, batch by batch."""

    def __init__(self, content: bytes) -> None:
        self._records = _MemoryRecordsPy(content)
        self.has_next = self._records.has_next
        self.size_in_bytes = self._records.size_in_bytes

    def next_batch(self) -> Any:
        raw = self._records._next_slice
        batch = self._records.next_batch()
        is_of_records = isinstance(batch, DefaultRecordBatch) and not batch.is_control_batch
        return _Batch(batch, raw) if is_of_records else batch


class _Batch:
    """aiokafka's own, read once more with care where a name is no text."""

    def __init__(self, batch: Any, raw: Any) -> None:
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                yield record
                read += 1
        except UnicodeDecodeError:
            yield from islice(_CarefulBatch(self._raw), read, None)


class _CarefulBatch(_DefaultRecordBatchPy):
    """Leaves out the headers of a record if one of their names is no text."""

    def _read_msg(self) -> Any:
        start: int = self._pos  # type: ignore[has-type] # untyped there
        try:
            return super()._read_msg()
        except UnicodeDecodeError:
            self._pos = start
            return self._without_headers()

    def _without_headers(self) -> Any:
        length, pos = decode_varint(self._buffer, self._pos)
        end = pos + length
        _, pos = decode_varint(self._buffer, pos)  # attributes
        delta, pos = decode_varint(self._buffer, pos)
        number, pos = decode_varint(self._buffer, pos)
        key, pos = self._bytes(pos)
        value, pos = self._bytes(pos)
        self._pos = end
        is_stamped = self.timestamp_type == self.LOG_APPEND_TIME
        at = self.max_timestamp if is_stamped else self.first_timestamp + delta
        offset = self.base_offset + number
        return _DefaultRecordPy(offset, at, self.timestamp_type, key, value, [])

    def _bytes(self, pos: int) -> tuple[bytes | None, int]:
        size, pos = decode_varint(self._buffer, pos)
        if size < 0:
            return None, pos
        return bytes(self._buffer[pos : pos + size]), pos + size

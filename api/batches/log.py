"""Writes and reads the records of the topic of batches."""

from typing import Any

import msgspec

from api.batches.entries import Definition, Entry, Logged, Part, Selected
from api.batches.submission import BatchSubmission
from api.records import utc_text
from schemas.forms import is_guid

PART_ITEMS = 1_000

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Entry).decode


def definition_of(batch: BatchSubmission) -> bytes:
    """Write what was asked, in one form for the same thing however it was asked."""
    items = None if batch.items is None else list(batch.items)
    asked = None if batch.filter is None else dict(batch.filter)
    return _encode(Definition(batch.user, asked, items, dict(batch.adjustment)))


def entry_bytes(entry: Part | Selected) -> bytes:
    """Write a record of a selection."""
    return _encode(entry)


def logged(record: Any) -> Logged | None:
    """Read a record; None where it is none of ours."""
    key = (record.key or b"").decode(errors="replace")
    if not is_guid(key):
        return None
    try:
        entry = _decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return Logged(key, record.partition, utc_text(record.timestamp), entry)

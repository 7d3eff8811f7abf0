"""Writes and reads the records of the topic of batches."""

from itertools import pairwise
from typing import Any

import msgspec

from api.batches.entries import NUMBER_MAX, Definition, Entry, Item, Logged, Part, Selected
from api.batches.submission import BatchSubmission, judge_attributes
from api.records import utc_text
from schemas.forms import is_guid

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Entry).decode


def definition_of(batch: BatchSubmission) -> bytes:
    """Write what was asked, in one form for the same thing however it was asked."""
    return _encode(_definition(batch))


def entry_bytes(entry: Part | Selected) -> bytes:
    """Write a record of a selection."""
    return _encode(entry)


def logged(record: Any) -> Logged | None:
    """Read a record; None where no process of ours would have written it."""
    key = (record.key or b"").decode(errors="replace")
    if not is_guid(key) or key != key.lower():
        return None
    try:
        at, entry = utc_text(record.timestamp), _decode(record.value or b"")
    except (ValueError, OverflowError, RecursionError):  # no such time; no such JSON; too deep
        return None
    judged = _judged(entry, key)
    return None if judged is None else Logged(key, record.partition, at, judged)


def _judged(entry: Entry, batch_id: str) -> Entry | None:
    match entry:
        case Definition():
            batch = judge_attributes({"batchId": batch_id, **_attributes_of(entry)})
            return _definition(batch) if isinstance(batch, BatchSubmission) else None
        case Part(number=first, items=items):
            is_in_order = all(one < other for one, other in pairwise(items))
            return entry if is_in_order and first + len(items) - 1 <= NUMBER_MAX else None
    return entry


def _attributes_of(asked: Definition) -> dict[str, Any]:
    """Give what was asked as it was posted."""
    items = None if asked.items is None else [_posted(item) for item in asked.items]
    filters, adjustment = asked.filter, asked.adjustment
    return {"user": asked.user, "filter": filters, "items": items, "adjustment": adjustment}


def _posted(item: Item) -> dict[str, Any]:
    return {"account": {"refId": item.account}, "chargeableEventRefId": item.event}


def _definition(batch: BatchSubmission) -> Definition:
    items = None if batch.items is None else list(batch.items)
    asked = None if batch.filter is None else dict(batch.filter)
    return Definition(batch.user, asked, items, dict(batch.adjustment))

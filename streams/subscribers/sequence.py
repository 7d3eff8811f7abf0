"""Reads the records of a partition in their order, up to where something is missing."""

from collections.abc import Iterable
from typing import Any

from schemas.headers import seq_of
from streams.subscribers.images import Batch, Image, Progress, digest_of, read


def enter(batch: Batch, partition: int, known: Progress, records: Iterable[Any]) -> str | None:
    """Enter what follows what is known into the batch; tell the fault that ends it, if any.

    A record without a `seq` is not the engine's, and so is kept aside; it is missed by nobody.
    """
    following, seq, _ = known
    last, fault = None, None
    for record in records:
        headers = dict(record.headers)
        found = seq_of(headers)
        if found is not None and seq is not None and found != seq + 1:
            fault = f"offset {record.offset} has seq {found} where {seq + 1} comes next"
            break
        seq = seq if found is None else found
        following, last = record.offset + 1, record
        image = read(record, headers, found)
        if isinstance(image, Image):
            batch.images.append(image)
        else:
            batch.set_aside.append(image)
    if last is not None:
        batch.positions[partition] = Progress(following, seq, digest_of(last))
    return fault


def fault_of_last(known: Progress, record: Any) -> str | None:
    """Tell why a record is not the last one that is known: the topic was cut there, or is another.

    A topic that lost its end grows again, and its numbers fit: only its records tell.
    """
    if record.offset == known.following - 1 and digest_of(record) == known.digest:
        return None
    return f"offset {known.following - 1} has not the record that was kept from there"


def fault_of_start(known: Progress, beginning: int, end: int) -> str | None:
    """Tell why a partition with these offsets does not go on from what is known."""
    if known.following < beginning:
        return f"the store is at offset {known.following}, and all before {beginning} has expired"
    if known.following > end:
        return f"the store is at offset {known.following}, and the topic ends at {end}"
    return None

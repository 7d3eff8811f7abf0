"""Business transactions as a subscriber reads them: after-images, and what could not be read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent
from schemas.headers import MESSAGE_CODE, SEQ

TOPIC = "business-transactions"
ENTITIES: dict[str, type[msgspec.Struct]] = {
    "account": Account,
    "chargeable_event": ChargeableEvent,
    "adjustment": Adjustment,
}
"""What is kept of each entity, by the name of its table, in the order of tables."""

_SEQ = re.compile(rb"[0-9]{1,18}")
_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z")
_BY_CODE: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    code: (entity, msgspec.json.Decoder(ENTITIES[entity]).decode)
    for code, entity in (
        (b"account", "account"),
        (b"chargeableEvent", "chargeable_event"),
        (b"adjustment", "adjustment"),
    )
}


class Image(NamedTuple):
    """The after-image of one entity, and where it stands."""

    entity: str  # a key of ENTITIES
    content: Any  # the entity, as its schema says
    value: bytes  # the same as it was published
    partition: int
    offset: int
    timestamp_ms: int


class SetAside(NamedTuple):
    """A record that is no image that we know, kept as it was found."""

    partition: int
    offset: int
    timestamp_ms: int
    code: str | None  # what its header calls it
    key: bytes | None
    value: bytes | None
    fault: str


class Progress(NamedTuple):
    """How far a partition was read."""

    following: int  # the next offset
    seq: int | None  # of the last business transaction; None where any may come first


@dataclass
class Batch:
    """What one look at the topic brought, in the order of each partition."""

    images: list[Image] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    positions: dict[int, Progress] = field(default_factory=dict)


def read(record: Any, headers: Mapping[str, bytes]) -> Image | SetAside:
    """Read a record of the topic, whoever wrote it."""
    code = headers.get(MESSAGE_CODE)
    if seq_of(headers) is None:
        return _aside(record, code, "It has no seq: the engine did not write it.")
    known = None if code is None else _BY_CODE.get(code)
    if known is None:
        return _aside(record, code, "Not an entity that is known here.")
    entity, decode = known
    if record.value is None:
        return _aside(record, code, "It has no value.")
    try:
        content = decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _aside(record, code, f"Not readable as {entity}: {error}")
    if fault := _fault_of(content):
        return _aside(record, code, fault)
    return Image(entity, content, record.value, record.partition, record.offset, record.timestamp)


def seq_of(headers: Mapping[str, bytes]) -> int | None:
    """Give the number that the engine gave a record; None where somebody else wrote it."""
    seq = headers.get(SEQ)
    return int(seq) if seq is not None and _SEQ.fullmatch(seq) else None


def _fault_of(content: Any) -> str | None:
    """Tell what the schema does not: an adjustment that adds up wrongly, or at no time.

    The engine publishes none of these; whoever else may write to the topic might.
    """
    if isinstance(content, Adjustment):
        effect = content.effect
        if effect.tax_excluded_amount + effect.tax_amount != effect.tax_included_amount:
            return "Its effect does not add up."
        if content.requested_at is None or not _UTC.fullmatch(content.requested_at):
            return "Its requestedAt is no time in UTC."
    return None


def _aside(record: Any, code: bytes | None, fault: str) -> SetAside:
    named = None if code is None else code.decode(errors="replace")
    where = (record.partition, record.offset, record.timestamp)
    return SetAside(*where, named, record.key, record.value, fault)

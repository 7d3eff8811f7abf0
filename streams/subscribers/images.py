"""Business transactions as a subscriber reads them: after-images, and what could not be read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent
from schemas.forms import AMOUNT_MAX
from schemas.headers import MESSAGE_CODE
from streams.subscribers.columns import row_of

TOPIC = "business-transactions"
ENTITIES: dict[str, type[msgspec.Struct]] = {
    "account": Account,
    "chargeable_event": ChargeableEvent,
    "adjustment": Adjustment,
}
"""What is kept of each entity, by the name of its table, in the order of tables."""

_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_LONG = 2_000  # bytes of a value with which no text in it can be too long for an index
_TEXT_MAX = 256  # characters of all texts but a comment
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


def aside(image: Image, fault: str) -> SetAside:
    """Set an image aside that a store cannot take."""
    where = (image.partition, image.offset, image.timestamp_ms)
    return SetAside(*where, image.entity, None, image.value, fault)


class Progress(NamedTuple):
    """How far a partition was read."""

    following: int  # the next offset
    seq: int | None  # of the last business transaction; None where any may come first
    digest: str | None = None  # of the last record: whether the topic still has it is looked at


@dataclass
class Batch:
    """What one look at the topic brought, in the order of each partition."""

    images: list[Image] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    positions: dict[int, Progress] = field(default_factory=dict)


def read(record: Any, headers: Mapping[str, bytes], seq: int | None) -> Image | SetAside:
    """Read a record of the topic, whoever wrote it; `seq` is its number, if it has one."""
    code = headers.get(MESSAGE_CODE)
    if seq is None:
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
    if fault := _fault_of(entity, content, len(record.value)):
        return _aside(record, code, fault)
    return Image(entity, content, record.value, record.partition, record.offset, record.timestamp)


def digest_of(record: Any) -> str:
    """Give what tells a record from another one in its place."""
    return blake2b(record.value or b"", digest_size=8).hexdigest()


def _fault_of(entity: str, content: Any, size: int) -> str | None:
    """Tell what the schema does not: what no store could keep, or no journal could post.

    The engine publishes none of these; whoever else may write to the topic might.
    """
    if size > _LONG:
        comment = getattr(content, "comment", None)
        values = row_of(ENTITIES[entity])(content)
        if any(_is_too_long(value) for value in values if value is not comment):
            return "A text in it is too long."
    return _fault_of_adjustment(content) if isinstance(content, Adjustment) else None


def _fault_of_adjustment(adjustment: Adjustment) -> str | None:
    effect, at = adjustment.effect, adjustment.requested_at
    if effect.tax_excluded_amount + effect.tax_amount != effect.tax_included_amount:
        return "Its effect does not add up."
    if max(map(abs, msgspec.structs.astuple(effect))) > AMOUNT_MAX:
        return "Its effect is out of range."
    if at is None or not _UTC.fullmatch(at) or not _is_a_time(at):
        return "Its requestedAt is no time in UTC."
    return None


def _is_too_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > _TEXT_MAX


def _is_a_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _aside(record: Any, code: bytes | None, fault: str) -> SetAside:
    named = None if code is None else code.decode(errors="replace")
    where = (record.partition, record.offset, record.timestamp)
    return SetAside(*where, named, record.key, record.value, fault)

"""What the topic of batches holds: what was asked, and which items it is for.

The first definition of an id is the batch. Parts of a selection follow, and a last record that
names and counts it. The first complete selection is the batch's; a list of items is its own.
"""

from functools import lru_cache
from hashlib import sha1
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from schemas.forms import REF_ID_PATTERN

LISTED = "list"  # the selection of a batch that lists its items
NUMBER_MAX = 2**31 - 1  # of an item: as far as the read model counts
PART_ITEMS = 1_000

Selection = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
RefId = Annotated[str, Meta(pattern=rf"\A{REF_ID_PATTERN}\Z")]
Number = Annotated[int, Meta(ge=0, le=NUMBER_MAX)]


class Item(NamedTuple):
    """A chargeable event that a batch adjusts."""

    account: RefId
    event: RefId


class Definition(msgspec.Struct, tag="definition", rename="camel", frozen=True):
    """What was asked; the first one of an id counts."""

    user: str
    filter: dict[str, str] | None
    items: list[Item] | None
    adjustment: dict[str, Any]


class Part(msgspec.Struct, tag="part", rename="camel", frozen=True):
    """Some items of a selection, the first of them with this number."""

    selection: Selection
    number: Number
    items: list[Item]


class Selected(msgspec.Struct, tag="selected", rename="camel", frozen=True):
    """A selection is complete: it has so many items."""

    selection: Selection
    count: Number


Entry = Definition | Part | Selected


class Logged(msgspec.Struct, frozen=True):
    """An entry, and the record that it was in."""

    batch_id: str
    partition: int
    at: str  # when Kafka took it
    entry: Entry


def request_id_of(batch_id: str, item: Item) -> str:
    """Give the requestId of an item, the same whoever sends it, and how often.

    It is the UUID version 5 of the batch's id and `<account>/<event>`, as RFC 9562 has it, section
    5.5; the standard library's way to it takes three times as long.
    """
    name = f"{item.account}/{item.event}".encode()
    digits = sha1(_namespace(batch_id) + name, usedforsecurity=False).hexdigest()
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def may_be_of_item(request_id: str) -> bool:
    """Whether a requestId may be that of any item: it is of version 5."""
    return request_id[14:15] == "5"


@lru_cache
def _namespace(batch_id: str) -> bytes:
    return UUID(batch_id).bytes


_VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}

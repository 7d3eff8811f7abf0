"""Compares accounts and chargeable events as they were sent with what was published of them."""

import struct
from typing import Any

from tools.audit.packing import digest
from tools.verify.checks import Check
from tools.verify.log import Record
from tools.verify.shelves import Shelf
from tools.verify.topics import ACCOUNTS, EVENTS
from tools.verify.unreadable import NotJsonError, read_strictly

Body = dict[str, Any]
_OFFSETS = struct.Struct(">qq")
_NO_OFFSETS = _OFFSETS.pack(-1, -1)
_OWNED: dict[str, tuple[str, ...]] = {
    ACCOUNTS: ("externalId", "currency", "state", "taxExempt", "billingInProgress"),
    EVENTS: (
        *("usageType", "kind", "eventDate", "quantity", "unitOfMeasure", "currency", "glCode"),
        *("status", "invoiceRefId", "original.taxExcludedAmount", "original.taxAmount"),
        *("original.taxIncludedAmount", "tax.code", "tax.rate", "billingPeriod.start"),
        "billingPeriod.end",
    ),
}


class Upserts:
    """What the systems that own accounts and charges said last of each, as it was published."""

    def __init__(self, check: Check, known: Shelf, newest: Shelf) -> None:
        """Begin with nothing published, and with empty books."""
        self._check, self._known, self._newest = check, known, newest

    def note(self, record: Record) -> None:
        """Remember which record of an account is its newest; compaction keeps that one."""
        if record.topic == ACCOUNTS and record.key is not None:
            _, came_from = self._offsets(record.key)
            self._newest[record.key] = _OFFSETS.pack(record.offset, came_from)

    def publish(self, topic: str, image: Record, content: Body, source: Record | None) -> None:
        """Enter what was published of an upsert, which may have been compacted since."""
        self._check.rows += 1
        owned = _owned(topic, content)
        self._known[place_of(topic, content)] = owned
        if topic == ACCOUNTS and image.key is not None:
            came_from = int(image.headers["source"].rsplit("-", 1)[1])
            self._newest[image.key] = _OFFSETS.pack(self._offsets(image.key)[0], came_from)
        if source is None:
            return
        sent = read_upsert(source.value)
        if sent is None or place_of(topic, sent) != place_of(topic, content):
            self._check.say(f"{image.address}: is not of what {source.address} is about.")
        elif _owned(topic, sent) != owned:
            self._check.say(f"{image.address}: says other than {source.address}, which it is of.")

    def says_nothing_new(self, record: Record) -> bool:
        """Whether an upsert changed nothing, so that nothing was to be published of it."""
        content = read_upsert(record.value)
        if content is None:
            return False
        known = self._known.get(place_of(record.topic, content))
        return known is not None and known == _owned(record.topic, content)

    def finish(self) -> None:
        """Say which accounts were published of a newer record than there is."""
        for key, offsets in self._newest.entries():
            newest, came_from = _OFFSETS.unpack(offsets)
            if 0 <= newest < came_from:
                self._check.say(
                    f"Account {key.decode(errors='replace')}: was published of offset {came_from} "
                    f"of {ACCOUNTS}, but its newest record there is at {newest}."
                )

    def _offsets(self, key: bytes) -> tuple[int, int]:
        """Give those of the newest record, and of the one that was published last."""
        newest, came_from = _OFFSETS.unpack(self._newest.get(key, _NO_OFFSETS))
        return newest, came_from


def read_upsert(value: bytes | None) -> Body | None:
    """Read what was sent, if it is a JSON object."""
    try:
        content = read_strictly(value or b"")
    except (NotJsonError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def place_of(topic: str, content: Body) -> bytes:
    """Name what an upsert or an image is about."""
    owner = content.get("account")
    account = owner.get("refId") if topic == EVENTS and isinstance(owner, dict) else ""
    return f"{topic}/{account}/{content.get('refId')}".encode(errors="replace")


def _owned(topic: str, content: Body) -> bytes:
    values = []
    for path in _OWNED[topic]:
        value: Any = content
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        values.append(value)
    return digest(values)

"""Compares accounts and chargeable events as they were sent with what was published of them."""

from typing import Any

from tools.audit.packing import digest
from tools.verify.checks import Check
from tools.verify.log import Record
from tools.verify.topics import ACCOUNTS, EVENTS
from tools.verify.unreadable import NotJsonError, read_strictly

Body = dict[str, Any]
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

    def __init__(self, check: Check) -> None:
        """Begin with nothing published."""
        self._check = check
        self._known: dict[bytes, bytes] = {}
        self._newest: dict[bytes, tuple[int, int]] = {}

    def note(self, record: Record) -> None:
        """Remember which record of an account is its newest; compaction keeps that one."""
        if record.topic == ACCOUNTS and record.key is not None:
            self._newest[record.key] = record.offset, self._newest.get(record.key, (0, -1))[1]

    def publish(self, topic: str, image: Record, content: Body, source: Record | None) -> None:
        """Enter what was published of an upsert, which may have been compacted since."""
        self._check.rows += 1
        owned = _owned(topic, content)
        self._known[place_of(topic, content)] = owned
        if topic == ACCOUNTS and image.key is not None:
            came_from = int(image.headers["source"].rsplit("-", 1)[1])
            self._newest[image.key] = self._newest.get(image.key, (-1, -1))[0], came_from
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
        for key, (newest, came_from) in self._newest.items():
            if 0 <= newest < came_from:
                self._check.say(
                    f"Account {key.decode(errors='replace')}: was published of offset {came_from} "
                    f"of {ACCOUNTS}, but its newest record there is at {newest}."
                )


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

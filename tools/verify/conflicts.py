"""Tells whether a well-formed upsert was in conflict with what is published of its subject."""

from dataclasses import dataclass
from typing import Any

from tools.verify.charges import Money
from tools.verify.topics import ACCOUNTS, EVENTS
from tools.verify.upserts import place_of, read_upsert

Body = dict[str, Any]
NOTHING = Money(0, 0, 0)


@dataclass
class _Subject:
    """What is published of one account or chargeable event."""

    currency: str
    adjusted: Money = NOTHING
    lowest: Money = NOTHING  # since the upsert before: a dead letter names no moment
    since: int = 0


class Conflicts:
    """The few accounts and chargeable events of which an upsert was put aside as a conflict."""

    CODES = frozenset({"IMMUTABLE_ATTRIBUTE", "CONFLICTS_WITH_ADJUSTMENTS"})

    def __init__(self) -> None:
        """Begin with nothing to look at."""
        self._subjects: dict[bytes, _Subject | None] = {}
        self._upserts = 0

    def watch(self, topic: str, value: bytes | None) -> None:
        """Remember what is published of the subject of this upsert, if it can be read."""
        if (content := read_upsert(value)) is not None:
            self._subjects[place_of(topic, content)] = None

    def publish(self, topic: str, image: Body, *, is_upsert: bool) -> None:
        """Enter an image. Upserts come in the order of their records, as dead letters do."""
        self._upserts += is_upsert and topic == EVENTS
        if not self._subjects or (place := place_of(topic, image)) not in self._subjects:
            return
        known = self._subjects[place] or _Subject(image["currency"])
        self._subjects[place] = known
        if topic == ACCOUNTS:
            return
        adjusted = Money.read(image["adjusted"])
        before = known.lowest if known.since == self._upserts else known.adjusted
        known.lowest = Money(*map(min, before, adjusted))
        known.adjusted, known.since = adjusted, self._upserts

    def why(self, topic: str, value: bytes | None) -> str | None:
        """Give the code of its dead letter, "" for none; None for a subject not looked at."""
        content = read_upsert(value)
        place = b"" if content is None else place_of(topic, content)
        if content is None or place not in self._subjects:
            return None
        known = self._subjects[place]
        if known is None:
            return ""
        if content["currency"] != known.currency:
            return "IMMUTABLE_ATTRIBUTE"
        if topic == ACCOUNTS:
            return ""
        lowest = known.lowest if known.since == self._upserts else known.adjusted
        is_below = min(Money.read(content["original"]).plus(lowest)) < 0
        return "CONFLICTS_WITH_ADJUSTMENTS" if is_below else ""

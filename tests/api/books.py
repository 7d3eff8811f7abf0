"""What searches must find, told from the images alone by plain loops."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api.event_filters import EventFilters

Image = dict[str, Any]
Place = tuple[str, str]
"""An account and the refId of an event."""


@dataclass
class Books:
    """All that was published, the newest image of each."""

    events: dict[Place, bytes] = field(default_factory=dict)
    external_ids: dict[str, str | None] = field(default_factory=dict)
    requests: dict[Place, list[str]] = field(default_factory=dict)
    comments: dict[Place, list[str]] = field(default_factory=dict)

    def find(self, filters: EventFilters) -> list[bytes]:
        """Give the images that fit, newest first, then by account and refId."""
        found = [(place, json.loads(image)) for place, image in self.events.items()]
        fitting = [(place, image) for place, image in found if self._fits(filters, place, image)]
        fitting.sort(key=lambda each: each[0])
        fitting.sort(key=lambda each: moment_of(each[1]), reverse=True)
        return [self.events[place] for place, _ in fitting]

    def _fits(self, filters: EventFilters, place: Place, image: Image) -> bool:
        amount = image["current"]["taxIncludedAmount"]
        same = (
            (filters.account, image["account"]["refId"]),
            (filters.usage_type, image["usageType"]),
            (filters.kind, image["kind"]),
            (filters.status, image["status"]),
            (filters.currency, image["currency"]),
            (filters.adjustment_state, image["adjustmentState"]),
        )
        return (
            all(asked in {None, found} for asked, found in same)
            and (filters.since is None or moment_of(image) >= filters.since)
            and (filters.before is None or moment_of(image) < filters.before)
            and (filters.min_amount is None or amount >= filters.min_amount)
            and (filters.max_amount is None or amount <= filters.max_amount)
            and (filters.q is None or self._has(filters.q, place))
        )

    def _has(self, q: str, place: Place) -> bool:
        account, ref_id = place
        ids = (account, ref_id, self.external_ids.get(account) or "")
        requests = self.requests.get(place, [])
        return (
            any(each.startswith(q) for each in ids)
            or any(each.startswith(q.lower()) for each in requests)
            or set() < words(q) <= words(" ".join(self.comments.get(place, [])))
        )


def moment_of(image: Image) -> int:
    """Give the time of an event in whole microseconds since 1970."""
    seconds = datetime.fromisoformat(image["eventDate"]).timestamp()
    return round(seconds * 1_000_000)


def words(text: str) -> set[str]:
    """Give the words of a text, however they are written."""
    return {word for word in re.split(r"\W+", text.casefold()) if word}


def decoded(items: Iterable[bytes]) -> list[Image]:
    """Give images as objects."""
    return [json.loads(item) for item in items]

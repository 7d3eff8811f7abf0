"""What one look at the topics brings, as rows of the read model."""

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from api.batches.entries import Logged
from api.results import Answer

Position = tuple[str, int]
"""A topic and a partition number."""


class Progress(NamedTuple):
    """How far a partition has been read."""

    following: int  # the next offset to be read
    seq: int  # of the last business transaction; 0 on other topics


class AccountRow(NamedTuple):
    """An account."""

    ref_id: str
    external_id: str | None
    image: bytes


class EventRow(NamedTuple):
    """A chargeable event."""

    account: str
    ref_id: str
    event_at: int
    usage_type: str
    kind: str
    status: str
    currency: str
    adjustment_state: str
    amount: int
    image: bytes


class AdjustedRow(NamedTuple):
    """What an adjustment changes of a chargeable event."""

    adjustment_state: str
    amount: int
    image: bytes
    of_account: str
    of_ref_id: str


class AdjustmentRow(NamedTuple):
    """An adjustment."""

    account: str
    chargeable_event_ref_id: str
    event_version: int
    request_id: str
    reversal_of: str | None
    image: bytes


class WordRow(NamedTuple):
    """A word of the comment of an adjustment, and the chargeable event that is found by it."""

    word: str
    of_account: str
    of_ref_id: str


class Received(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request as it was seen on its topic."""

    request_id: str
    account: str
    topic_offset: int
    chargeable_event_ref_id: str | None
    user: str | None
    requested_at: str
    asked: bytes | None  # its value, if it is well-formed


@dataclass
class Rows:
    """Rows to be kept together with the positions up to which the topics were read."""

    accounts: dict[str, AccountRow] = field(default_factory=dict)
    events: dict[tuple[str, str], EventRow] = field(default_factory=dict)
    adjusted_events: dict[tuple[str, str], AdjustedRow] = field(default_factory=dict)
    adjustments: list[AdjustmentRow] = field(default_factory=list)
    comment_words: list[WordRow] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    batches: list[Logged] = field(default_factory=list)
    positions: dict[Position, Progress] = field(default_factory=dict)

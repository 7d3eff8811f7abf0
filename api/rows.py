"""What one look at the topics brings, as rows of the read model."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from api.batches.entries import Logged
from api.results import Answer

Row = dict[str, Any]
Position = tuple[str, int]
"""A topic and a partition number."""


class Progress(NamedTuple):
    """How far a partition has been read."""

    following: int  # the next offset to be read
    seq: int  # of the last business transaction; 0 on other topics


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it was seen on its topic."""

    account: str
    request_id: str
    topic_offset: int
    chargeable_event_ref_id: str | None
    user: str | None
    requested_at: str
    asked: bytes | None  # its value, if it is well-formed


@dataclass
class Rows:
    """Rows to be kept together with the positions up to which the topics were read."""

    accounts: dict[str, Row] = field(default_factory=dict)
    events: dict[tuple[str, str], Row] = field(default_factory=dict)
    adjusted_events: dict[tuple[str, str], Row] = field(default_factory=dict)
    adjustments: list[Row] = field(default_factory=list)
    comment_words: list[Row] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    batches: list[Logged] = field(default_factory=list)
    positions: dict[Position, Progress] = field(default_factory=dict)

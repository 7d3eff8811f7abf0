"""What a decision knows: the rows that a request names, and what was noted about the asking."""

import msgspec

from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent


class Answer(msgspec.Struct, frozen=True, gc=False):
    """That the account had a request of this id before: the digest of what it asked."""

    content: bytes


class State(msgspec.Struct, frozen=True, gc=False):
    """The rows that account, event and request id name; the last two of a reversal only."""

    account: Account | None
    chargeable_event: ChargeableEvent | None
    answer: Answer | None
    adjustment: Adjustment | None = None  # the account's own of the refId to be reversed
    reversed_by: str | None = None  # refId of the adjustment that reversed it already


class Noted(msgspec.Struct, frozen=True, gc=False):
    """What was noted about a request; never part of what was asked."""

    account_ref_id: str  # the key of the record
    channel: str
    batch: str | None
    requested_at: str | None  # when the broker appended the record; None where there is none

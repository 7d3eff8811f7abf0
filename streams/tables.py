"""The tables, and the rows of one request in and out of them."""

from typing import Any

import msgspec

from schemas.account import Account
from schemas.adjustment import AdjustmentRequest
from schemas.adjustment_result import AdjustmentResult
from schemas.chargeable_event import ChargeableEvent
from streams.delivery.plan import Table
from streams.delivery.work import Work
from streams.domain.decide import request_of_adjustment
from streams.domain.state import Answer, State

APP_ID = "adjust"
ACCOUNTS, CHARGEABLE_EVENTS, ANSWERS = "accounts", "chargeable-events", "answers"


class StoredAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The first result of a request, byte for byte, and what was asked."""

    content: bytes  # digest of what was asked
    status: str
    subject: str | None
    value: bytes
    reversed_by: str | None = None  # refId of the adjustment that reversed this request's own


_decode_result = msgspec.json.Decoder(AdjustmentResult).decode


def tables() -> dict[str, Table]:
    """All tables by name; each has its changelog."""
    return {
        ACCOUNTS: _table(ACCOUNTS, msgspec.json.Encoder(), msgspec.json.Decoder(Account)),
        CHARGEABLE_EVENTS: _table(
            CHARGEABLE_EVENTS, msgspec.json.Encoder(), msgspec.json.Decoder(ChargeableEvent)
        ),
        ANSWERS: _table(ANSWERS, msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(StoredAnswer)),
    }


def changelog_of(table: str) -> str:
    """As Faust names it."""
    return f"{APP_ID}-{table}-changelog"


def event_key(account: str, chargeable_event: str) -> bytes:
    """An event belongs to its account; a slash is in neither refId."""
    return f"{account}/{chargeable_event}".encode()


def answer_key(account: str, request_id: str) -> bytes:
    """A requestId is unique for one account."""
    return f"{account}/{request_id}".encode()


def read_state(work: Work, account: str, request: AdjustmentRequest) -> State:
    """All that a decision needs to know."""
    answer: StoredAnswer | None = work.get(ANSWERS, answer_key(account, request.request_id))
    reversed_ = _answer_reversed(work, account, request)
    event = request.chargeable_event_ref_id
    return State(
        account=work.get(ACCOUNTS, account.encode()),
        chargeable_event=work.get(CHARGEABLE_EVENTS, event_key(account, event)),
        answer=None if answer is None else Answer(answer.content),
        adjustment=None if reversed_ is None else _decode_result(reversed_.value).adjustment,
        reversed_by=None if reversed_ is None else reversed_.reversed_by,
    )


def mark_reversed(work: Work, account: str, reversal_of: str, reversed_by: str) -> None:
    """Note that an adjustment was reversed; it is so once."""
    request_id = request_of_adjustment(account, reversal_of)
    assert request_id is not None, "only an adjustment of the account is reversed"
    key = answer_key(account, request_id)
    row: StoredAnswer = work.get(ANSWERS, key)
    work.put(ANSWERS, key, msgspec.structs.replace(row, reversed_by=reversed_by))


def _answer_reversed(work: Work, account: str, request: AdjustmentRequest) -> StoredAnswer | None:
    """The row with the adjustment to be reversed; its refId says under which request it stands."""
    if request.reversal_of is None:
        return None
    request_id = request_of_adjustment(account, request.reversal_of)
    if request_id is None:
        return None
    row: StoredAnswer | None = work.get(ANSWERS, answer_key(account, request_id))
    return row


def _table(name: str, encoder: Any, decoder: Any) -> Table:
    return Table(name, changelog_of(name), encoder.encode, decoder.decode)

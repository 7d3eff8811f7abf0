"""The tables, and the rows of one request in and out of them."""

import msgspec

from schemas.account import Account
from schemas.adjustment import AdjustmentRequest
from streams import rows
from streams.delivery.plan import Table
from streams.delivery.work import Work
from streams.domain.decide import request_of_adjustment
from streams.domain.state import Answer, State

APP_ID = "adjust"
ACCOUNTS, CHARGEABLE_EVENTS, ANSWERS = "accounts", "chargeable-events", "answers"

Remembered = rows.StoredAnswer | rows.AppliedAnswer


def tables() -> dict[str, Table]:
    """All tables by name; each has its changelog."""
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(Account).decode
    return {
        table.name: table
        for table in (
            Table(ACCOUNTS, changelog_of(ACCOUNTS), encode, decode, is_kept=True),
            Table(
                CHARGEABLE_EVENTS,
                changelog_of(CHARGEABLE_EVENTS),
                rows.row_of_event,
                rows.event_of_row,
            ),
            Table(ANSWERS, changelog_of(ANSWERS), rows.row_of_answer, rows.answer_of_row),
        )
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
    answer: Remembered | None = work.get(ANSWERS, answer_key(account, request.request_id))
    reversed_ = _answer_reversed(work, account, request)
    event = request.chargeable_event_ref_id
    return State(
        account=work.get(ACCOUNTS, account.encode()),
        chargeable_event=work.get(CHARGEABLE_EVENTS, event_key(account, event)),
        answer=None if answer is None else Answer(answer.content),
        adjustment=None if reversed_ is None else reversed_.adjustment,
        reversed_by=None if reversed_ is None else reversed_.reversed_by,
    )


def mark_reversed(work: Work, account: str, reversal_of: str, reversed_by: str) -> None:
    """Note that an adjustment was reversed; it is so once."""
    request_id = request_of_adjustment(account, reversal_of)
    assert request_id is not None, "only an adjustment of the account is reversed"
    key = answer_key(account, request_id)
    row: Remembered = work.get(ANSWERS, key)
    work.put(ANSWERS, key, msgspec.structs.replace(row, reversed_by=reversed_by))


def _answer_reversed(work: Work, account: str, request: AdjustmentRequest) -> Remembered | None:
    """The row with the adjustment to be reversed; its refId says under which request it stands."""
    if request.reversal_of is None:
        return None
    request_id = request_of_adjustment(account, request.reversal_of)
    if request_id is None:
        return None
    row: Remembered | None = work.get(ANSWERS, answer_key(account, request_id))
    return row

"""The tables, and the rows of one request in and out of them."""

from typing import Any

import msgspec

from schemas.account import Account
from schemas.chargeable_event import ChargeableEvent
from streams.delivery.plan import Table
from streams.delivery.work import Work
from streams.domain.decide import Answer, State

APP_ID = "adjust"
ACCOUNTS, CHARGEABLE_EVENTS, ANSWERS = "accounts", "chargeable-events", "answers"


class StoredAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The first result of a request, byte for byte, and what was asked."""

    content: bytes  # digest of what was asked
    status: str
    subject: str | None
    value: bytes


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


def read_state(work: Work, account: str, chargeable_event: str, request_id: str) -> State:
    """All that a decision needs to know."""
    answer: StoredAnswer | None = work.get(ANSWERS, answer_key(account, request_id))
    return State(
        account=work.get(ACCOUNTS, account.encode()),
        chargeable_event=work.get(CHARGEABLE_EVENTS, event_key(account, chargeable_event)),
        answer=None if answer is None else Answer(answer.content),
    )


def _table(name: str, encoder: Any, decoder: Any) -> Table:
    return Table(name, changelog_of(name), encoder.encode, decoder.decode)

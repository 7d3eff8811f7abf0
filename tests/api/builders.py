"""Valid requests and results for the tests of REST; a test states what matters to it."""

import json
from pathlib import Path
from typing import Any

from api.results import Answer
from api.rows import Received

REQUEST_ID = "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10"
ACCOUNT = "ACC-1001"
REQUESTED_AT = "2026-11-05T09:30:00.123Z"


def a_request(**changes: Any) -> dict[str, Any]:
    """Give a request that is in order, apart from the changes; `...` takes an attribute out."""
    request = {
        "requestId": REQUEST_ID,
        "user": "crm:jane",
        "account": {"refId": ACCOUNT},
        "chargeableEventRefId": "CE-500001",
        "chargeType": "CREDIT",
        "chargeAdjustment": 1000000,
        "currency": "EUR",
        "taxIncluded": True,
    } | changes
    return {name: value for name, value in request.items() if value is not ...}


def a_result(**changes: Any) -> bytes:
    """Give the value of a result; spaced unlike any encoder, so that a copy is told from it."""
    result = {
        "requestId": REQUEST_ID,
        "account": {"refId": ACCOUNT},
        "chargeableEventRefId": "CE-500001",
        "status": "APPLIED",
        "adjustment": {"refId": f"ADJ-{ACCOUNT}-{REQUEST_ID}"},
        "chargeableEvent": None,
        "errors": [],
        "remaining": {"taxExcludedAmount": 3, "taxAmount": 1, "taxIncludedAmount": 4},
        "requestedAt": REQUESTED_AT,
    } | changes
    return json.dumps(result, separators=(" ,", " :")).encode()


def a_refusal(code: str = "CREDIT_EXCEEDS_REMAINING", **changes: Any) -> bytes:
    """Give the value of a refused result."""
    fault = {"code": code, "field": "chargeAdjustment", "message": "It is too much."}
    return a_result(**{"status": "REFUSED", "adjustment": None, "errors": [fault]} | changes)


def an_answer(value: bytes, **changes: Any) -> Answer:
    """Give a result as it was read from its topic."""
    offset = changes.get("request_offset", 0)
    return Answer(
        **{
            "account": ACCOUNT,
            "request_id": REQUEST_ID,
            "chargeable_event_ref_id": json.loads(value)["chargeableEventRefId"],
            "source": f"adjustment-requests-0-{offset}",
            "request_offset": offset,
            "partition": 0,
            "offset": offset,
            "value": value,
            "status": "REFUSED" if b'"REFUSED"' in value else "APPLIED",
            "is_replay": False,
            "is_remembered": True,
            "state_seq": 0,
            "decided_at": REQUESTED_AT,
        }
        | changes
    )


def a_received(account: str = ACCOUNT, topic_offset: int = 0) -> Received:
    """Give a request as it was read from its topic."""
    return Received(
        account=account,
        request_id=REQUEST_ID,
        topic_offset=topic_offset,
        chargeable_event_ref_id="CE-500001",
        user="crm:jane",
        requested_at=REQUESTED_AT,
        asked=b"{}",
    )


def sqlite_url(folder: Path) -> str:
    """Give the address of a database in a folder."""
    return f"sqlite:///{folder / 'api.db'}"

"""Valid messages and rows; a test changes only what matters to it."""

import json
from typing import Any

import msgspec

from schemas.account import Account, AccountUpsert
from schemas.adjustment import Adjustment, AdjustmentRequest
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent, RatedChargeableEvent
from schemas.reading import read_account, read_rated_event, read_request
from streams.domain.decide import decide
from streams.domain.state import Noted, State
from streams.domain.upserts import upsert_account, upsert_chargeable_event

REQUEST_ID = "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10"
REVERSAL_ID = "5f0d9a52-0f0c-4b1b-8d3a-1d2c3b4a5f60"
ABSENT = msgspec.UNSET  # as a value: leave the attribute out

Body = dict[str, Any]


def request_body(**changes: object) -> Body:
    """Give a credit of 1 EUR with tax, as a caller writes it."""
    body: Body = {
        "requestId": REQUEST_ID,
        "user": "crm:jane",
        "account": {"refId": "ACC-1001"},
        "chargeableEventRefId": "CE-500001",
        "chargeType": "CREDIT",
        "chargeAdjustment": 1000000,
        "currency": "EUR",
        "taxIncluded": True,
        "reason": "INCORRECT_METERING",
        "comment": "metered twice in roaming",
    }
    return _changed(body, changes)


def account_body(**changes: object) -> Body:
    """Give an account as the CRM writes it."""
    body: Body = {
        "refId": "ACC-1001",
        "externalId": "CRM-77",
        "currency": "EUR",
        "state": "ACTIVE",
        "taxExempt": False,
        "billingInProgress": False,
    }
    return _changed(body, changes)


def event_body(**changes: object) -> Body:
    """Give a charge of 12.10 EUR with 21 % tax, as rating writes it."""
    body: Body = {
        "refId": "CE-500001",
        "account": {"refId": "ACC-1001"},
        "usageType": "DATA_ROAMING",
        "kind": "USAGE",
        "eventDate": "2026-11-03T14:21:09+01:00",
        "quantity": 734003200,
        "unitOfMeasure": "BYTE",
        "currency": "EUR",
        "original": amounts_body(10000000, 2100000),
        "tax": {"code": "VAT21", "rate": 2100},
        "glCode": "4000-ROAM",
        "status": "RATED",
        "billingPeriod": {
            "start": "2026-11-01T00:00:00+01:00",
            "end": "2026-12-01T00:00:00+01:00",
        },
        "invoiceRefId": None,
    }
    return _changed(body, changes)


def amounts_body(excluded: int, tax: int) -> Body:
    """Give three amounts that balance, as they are written."""
    return {
        "taxExcludedAmount": excluded,
        "taxAmount": tax,
        "taxIncludedAmount": excluded + tax,
    }


def request(**changes: object) -> AdjustmentRequest:
    """Give a request as it is read."""
    read = read_request(as_bytes(request_body(**changes)))
    assert isinstance(read, AdjustmentRequest), read
    return read


def account_upsert(**changes: object) -> AccountUpsert:
    """Give an account as it is read."""
    read = read_account(as_bytes(account_body(**changes)))
    assert isinstance(read, AccountUpsert), read
    return read


def rated_event(**changes: object) -> RatedChargeableEvent:
    """Give a chargeable event as it is read."""
    read = read_rated_event(as_bytes(event_body(**changes)))
    assert isinstance(read, RatedChargeableEvent), read
    return read


def account(**changes: object) -> Account:
    """Give the row of an account."""
    row = upsert_account(None, account_upsert(**changes))
    assert isinstance(row, Account)
    return row


def event(**changes: object) -> ChargeableEvent:
    """Give the row of a chargeable event that nobody has adjusted."""
    row = upsert_chargeable_event(None, rated_event(**changes))
    assert isinstance(row, ChargeableEvent)
    return row


def adjusted(**changes: object) -> tuple[Adjustment, ChargeableEvent]:
    """Give an adjustment that was applied to the event of `event()`, and the event since then."""
    decision = decide(State(account(), event(), None), request(**changes), noted())
    assert decision.adjustment is not None
    assert decision.chargeable_event is not None
    return decision.adjustment, decision.chargeable_event


def reversal_body(reversal_of: str, **changes: object) -> Body:
    """Give a request to undo an adjustment, as a caller writes it."""
    body: Body = {
        "requestId": REVERSAL_ID,
        "user": "crm:jane",
        "account": {"refId": "ACC-1001"},
        "chargeableEventRefId": "CE-500001",
        "currency": "EUR",
        "reversalOf": reversal_of,
    }
    return _changed(body, changes)


def amounts(excluded: int, tax: int) -> Amounts:
    """Give three amounts that balance."""
    return Amounts(tax_excluded_amount=excluded, tax_amount=tax, tax_included_amount=excluded + tax)


def noted(**changes: object) -> Noted:
    """Give what is noted about a request."""
    facts = Noted("ACC-1001", "REST", None, "2026-11-05T09:30:00.123Z")
    return msgspec.structs.replace(facts, **changes)


def as_bytes(content: object) -> bytes:
    """Write any content as JSON."""
    return json.dumps(content).encode()


def _changed(body: Body, changes: dict[str, object]) -> Body:
    return {key: part for key, part in (body | changes).items() if part is not ABSENT}

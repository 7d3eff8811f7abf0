"""An upsert that the published contract takes may not be put aside; one that it refuses may."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import ABSENT, account_body, amounts_body, event_body, request_body
from tests.tools.runs import (
    ACCOUNT,
    ACKNOWLEDGED,
    HOME,
    INPUTS,
    NOTHING_SAID,
    OTHER_EVENT,
    PARTITIONS,
    good_run,
)
from tools.verify.findings import Findings
from tools.verify.memory import Acknowledged
from tools.verify.whole import Beside, verify

ACCOUNTS, EVENTS, REQUESTS = "accounts", "chargeable-events", "adjustment-requests"
CREDIT, LATE = (f"{n}0000000-0000-4000-8000-000000000000" for n in "67")
CONFLICT = "CONFLICTS_WITH_ADJUSTMENTS"
DOUBLED = json.dumps(event_body()).replace('"RATED"', '"RATED", "status": "BILLED"').encode()
RIGHT: list[tuple[str, dict[str, Any] | bytes | None]] = [
    (ACCOUNTS, account_body(currency="CHF")),
    (ACCOUNTS, account_body(refId="ACC-9")),
    (ACCOUNTS, account_body(taxExempt=0)),
    (ACCOUNTS, account_body(state="SLEEPING")),
    (ACCOUNTS, account_body(currency="EUR\n")),
    (ACCOUNTS, None),
    (EVENTS, event_body(currency="CHF")),
    (EVENTS, event_body(refId=OTHER_EVENT, currency="CHF")),
    (EVENTS, event_body(account={"refId": "ACC-9"})),
    (EVENTS, event_body(kind=ABSENT)),
    (EVENTS, event_body(quantity=1.0)),
    (EVENTS, event_body(usageType="x" * 65)),
    (EVENTS, event_body(eventDate="2026-02-30T10:00:00Z")),
    (EVENTS, event_body(eventDate="0001-01-01T00:00:00+10:00")),
    (EVENTS, event_body(original=amounts_body(1, 1) | {"taxIncludedAmount": 3})),
    (EVENTS, event_body(original=amounts_body(10**15, 1))),
    (EVENTS, DOUBLED),
]
NEW = {"refId": "CE-9"}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (ACCOUNTS, account_body(state="INACTIVE"), "NOT_JSON"),
    (ACCOUNTS, account_body(externalId=ABSENT), "INVALID_UPSERT"),
    (ACCOUNTS, account_body(state="INACTIVE"), "IMMUTABLE_ATTRIBUTE"),
    (ACCOUNTS, account_body(currency="CHF"), "INVALID_UPSERT"),
    (EVENTS, event_body(**NEW), "INVALID_UPSERT"),
    (EVENTS, event_body(**NEW, currency="CHF"), "IMMUTABLE_ATTRIBUTE"),
    (EVENTS, event_body(status="BILLED", note={"more": [1]}), CONFLICT),
    (EVENTS, event_body(original=amounts_body(0, 0)), CONFLICT),
    (EVENTS, event_body(eventDate="2026-11-03T14:21:09.123456789Z"), "INVALID_UPSERT"),
]


def findings_of(*more: Any, edit: tuple[dict[str, Any], str] | None = None) -> Findings:
    """What is found where more is sent; an edit changes the last upsert and its dead letter."""
    written, stores = good_run([*INPUTS, *more])
    if edit:
        topic, content = more[-1][0], json.dumps(edit[0]).encode()
        letters, inputs = written.places[f"dlq-{topic}", HOME], written.places[topic, HOME]
        inputs[-1] = replace(inputs[-1], value=content)
        headers = {**letters[-1].headers, "dlq-code": edit[1]}
        letters[-1] = replace(letters[-1], value=content, headers=headers)
    acknowledged = Acknowledged(lambda: ACKNOWLEDGED)
    return verify(written, PARTITIONS, stores, Beside(acknowledged=acknowledged))


@pytest.mark.parametrize(("topic", "value"), RIGHT)
def test_what_the_engine_puts_aside_is_agreed_with(
    topic: str, value: dict[str, Any] | bytes | None
) -> None:
    findings = findings_of((topic, value))
    assert findings.lines == []


def test_an_event_below_what_was_credited_is_rightly_put_aside_until_that_is_undone() -> None:
    undone = request_body(requestId=LATE, reversalOf=f"ADJ-{ACCOUNT}-{CREDIT}", **NOTHING_SAID)
    more = [
        (REQUESTS, request_body(requestId=CREDIT)),
        (EVENTS, event_body(original=amounts_body(0, 0))),
        (REQUESTS, undone),
        (EVENTS, event_body(status="RATED")),
        (EVENTS, b"[]"),
    ]
    assert findings_of(*more).lines == []
    later = findings_of(*more, edit=(event_body(original=amounts_body(0, 0)), CONFLICT))
    assert [check.invariant for check in later.checks if check.disagreements] == ["I10"]


@pytest.mark.parametrize(("topic", "value", "code"), WRONG)
def test_what_anyone_can_read_is_no_dead_letter(
    topic: str, value: dict[str, Any], code: str
) -> None:
    findings = findings_of((topic, b"[]"), edit=(value, code))
    (broken,) = (check for check in findings.checks if check.disagreements)
    assert broken.invariant == "I10"
    assert f"was put aside as {code}, but" in next(broken.lines())

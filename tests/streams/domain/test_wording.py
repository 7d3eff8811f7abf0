"""Tests of what a refused caller is told: the attribute at fault, and a sentence to read aloud."""

from typing import Any

import pytest
from msgspec.structs import replace

from streams.domain.decide import decide
from streams.domain.state import Answer, State
from tests.builders import account, event, noted, request

KNOWN = State(account(), event(), None)

# What is met, what was asked, the attribute at fault and the sentence.
SENTENCES: list[tuple[State, dict[str, Any], str, str]] = [
    (
        replace(KNOWN, answer=Answer(b"another")),
        {},
        "requestId",
        (
            "Account ACC-1001 has another request under requestId"
            " 7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10."
        ),
    ),
    (State(None, None, None), {}, "account.refId", "There is no account ACC-1001."),
    (
        replace(KNOWN, account=account(state="DEACTIVATED")),
        {},
        "account.refId",
        "Account ACC-1001 is deactivated.",
    ),
    (
        replace(KNOWN, account=account(billingInProgress=True)),
        {},
        "account.refId",
        "A bill of account ACC-1001 is being made. Ask again later, under a new requestId.",
    ),
    (
        replace(KNOWN, chargeable_event=None),
        {},
        "chargeableEventRefId",
        "There is no chargeable event CE-500001 on account ACC-1001.",
    ),
    (
        KNOWN,
        {"expectedVersion": 4},
        "expectedVersion",
        "Chargeable event CE-500001 is at version 1, not 4. Look at it again first.",
    ),
    (
        KNOWN,
        {"currency": "USD"},
        "currency",
        "Chargeable event CE-500001 is in EUR, not USD.",
    ),
    (KNOWN, {"reason": "WHIM"}, "reason", "The reason is not on the list of reasons."),
    (
        KNOWN,
        {"reason": "GOODWILL", "chargeType": "DEBIT"},
        "reason",
        "The reason GOODWILL is not for a DEBIT.",
    ),
    (
        KNOWN,
        {"reason": "OTHER", "comment": None},
        "comment",
        "The reason OTHER needs a comment.",
    ),
]


@pytest.mark.parametrize(("state", "asked", "field", "sentence"), SENTENCES)
def test_a_refusal_names_its_attribute_and_says_why(
    state: State, asked: dict[str, Any], field: str, sentence: str
) -> None:
    result = decide(state, request(**asked), noted()).result
    assert result is not None
    (fault,) = result.errors
    assert (fault.field, fault.message) == (field, sentence)

"""What the engine says of a request of every shape on its topic; without Kafka."""

import json
from typing import Any

import pytest

from streams.app import build_plan
from streams.delivery.work import Work
from tests.shapes import GOOD, UNREADABLE, WRONG, WRONG_ACCOUNTS, value_of
from tests.streams.test_handlers import UNIT, EmptyStore, handle, headers, record, written


@pytest.fixture
def work() -> Work:
    """A batch that knows no account."""
    return Work(build_plan(12), EmptyStore(), UNIT, {})


@pytest.mark.parametrize("shows", WRONG)
def test_all_that_is_wrong_is_answered_and_not_remembered(work: Work, shows: str) -> None:
    body, faults = WRONG[shows]
    result = result_of(work, value_of(body))
    assert headers(result)["remembered"] == "false"
    assert json.loads(result.value)["status"] == "REFUSED"
    assert codes_and_fields(result) == faults


@pytest.mark.parametrize("shows", GOOD)
def test_a_request_in_order_is_decided_and_remembered(work: Work, shows: str) -> None:
    result = result_of(work, value_of(GOOD[shows]))
    assert "remembered" not in headers(result)
    assert codes_and_fields(result) == [("ACCOUNT_NOT_FOUND", "account.refId")]


@pytest.mark.parametrize("shows", UNREADABLE)
def test_what_is_no_json_object_is_a_dead_letter(work: Work, shows: str) -> None:
    value, code = UNREADABLE[shows]
    assert dead_letter_code_of(work, value) == code


@pytest.mark.parametrize("shows", WRONG_ACCOUNTS)
def test_an_account_that_is_no_key_is_a_dead_letter(work: Work, shows: str) -> None:
    body, _ = WRONG_ACCOUNTS[shows]
    assert dead_letter_code_of(work, value_of(body)) == "KEY_MISMATCH"


def result_of(work: Work, value: bytes) -> Any:
    handle(work, record("adjustment-requests", value))
    assert not written(work, "dlq-adjustment-requests")
    (result,) = written(work, "adjustment-results")
    return result


def dead_letter_code_of(work: Work, value: bytes) -> str:
    handle(work, record("adjustment-requests", value))
    assert not written(work, "adjustment-results")
    (dead,) = written(work, "dlq-adjustment-requests")
    return headers(dead)["dlq-code"]


def codes_and_fields(result: Any) -> list[tuple[str, str]]:
    return [(fault["code"], fault["field"]) for fault in json.loads(result.value)["errors"]]

"""Asking for an adjustment over REST."""

import json
from typing import Any

import httpx
import pytest

from api.desk import Desk
from api.errors import KafkaUnreachableError, NotAcknowledgedError, RequestTooLargeError
from tests.api.builders import (
    ACCOUNT,
    REQUEST_ID,
    a_refusal,
    a_request,
    a_result,
    an_answer,
)
from tests.api.fakes import ListedTopic

PATH = "/v1/adjustments"
ALIAS = "/v1/rm/billing-invoicing/adjust-chargeable-event"
LOCATION = f"{PATH}/{REQUEST_ID}?account={ACCOUNT}"
NO_WAIT = {"Prefer": "respond-async"}


def answering(topic: ListedTopic, desk: Desk, value: bytes, **changes: Any) -> None:
    """Let a result be read before the acknowledgement of its request comes back."""
    topic.before_acknowledging = lambda account, offset: desk.waiters.deliver(
        an_answer(value, account=account, request_offset=offset, **changes)
    )


def codes_and_fields(answer: httpx.Response) -> list[tuple[str, str]]:
    """Give what a problem finds wrong."""
    return [(fault["code"], fault["field"]) for fault in answer.json()["errors"]]


@pytest.mark.parametrize("path", [PATH, ALIAS])
async def test_an_applied_adjustment_is_answered_with_the_bytes_of_the_topic(
    client: httpx.AsyncClient, topic: ListedTopic, desk: Desk, path: str
) -> None:
    answering(topic, desk, a_result())
    answer = await client.post(path, json=a_request())
    assert (answer.status_code, answer.content) == (201, a_result())
    assert answer.headers["location"] == LOCATION
    assert "idempotent-replayed" not in answer.headers


async def test_the_topic_gets_the_callers_own_bytes(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    body = json.dumps(a_request(), indent=3).encode()
    await client.post(PATH, content=body, headers={**NO_WAIT, "traceparent": "00-a-b-01"})
    assert topic.sent == [(ACCOUNT, body, b"00-a-b-01")]


async def test_a_refusal_is_a_problem_with_the_results_fields(
    client: httpx.AsyncClient, topic: ListedTopic, desk: Desk
) -> None:
    answering(topic, desk, a_refusal())
    answer = await client.post(PATH, json=a_request())
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(answer.json()) == [
        *("type", "title", "status", "detail", "instance", "code", "requestId", "account"),
        *("chargeableEventRefId", "errors", "remaining", "chargeableEvent", "requestedAt"),
    ]
    assert answer.json()["type"] == "/problems/credit-exceeds-remaining"
    assert answer.json()["instance"] == f"{PATH}/{REQUEST_ID}"


@pytest.mark.parametrize("value", [a_result(), a_refusal()])
async def test_a_repeat_is_marked_as_replayed(
    client: httpx.AsyncClient, topic: ListedTopic, desk: Desk, value: bytes
) -> None:
    answering(topic, desk, value, is_replay=True)
    answer = await client.post(PATH, json=a_request())
    assert answer.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("prefer", ["respond-async", "wait=0", "WAIT=0; x=y, handling=lenient"])
async def test_who_does_not_wait_is_told_where_the_result_will_be(
    client: httpx.AsyncClient, prefer: str
) -> None:
    answer = await client.post(PATH, json=a_request(), headers={"Prefer": prefer})
    assert answer.status_code == 202
    assert answer.headers["location"] == LOCATION
    assert answer.headers["retry-after"] == "1"
    assert (answer.json()["status"], answer.json()["requestedAt"]) == (
        "RECEIVED",
        "2026-11-05T09:13:20.123Z",
    )


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=-1", "wait=²", ",;=", "wait=" + "9" * 5000])
async def test_a_preference_that_makes_no_sense_is_passed_over(
    client: httpx.AsyncClient, topic: ListedTopic, desk: Desk, prefer: str
) -> None:
    answering(topic, desk, a_result())
    headers = {b"Prefer": prefer.encode()}
    assert (await client.post(PATH, json=a_request(), headers=headers)).status_code == 201


async def test_the_idempotency_key_stands_in_for_a_missing_request_id(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    headers = {**NO_WAIT, "Idempotency-Key": f'"{REQUEST_ID}"'}
    for missing in (..., None):
        answer = await client.post(PATH, json=a_request(requestId=missing), headers=headers)
        assert answer.status_code == 202
        assert json.loads(topic.sent[-1][1]) == a_request()


@pytest.mark.parametrize(
    ("key", "status"), [(REQUEST_ID, 202), (REQUEST_ID.upper(), 202), ("another", 400)]
)
async def test_the_idempotency_key_must_be_the_request_id(
    client: httpx.AsyncClient, key: str, status: int
) -> None:
    headers = {**NO_WAIT, "Idempotency-Key": key}
    assert (await client.post(PATH, json=a_request(), headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"requestId": ...}, [("MISSING_ATTRIBUTE", "requestId")]),
        ({"requestId": None}, [("MISSING_ATTRIBUTE", "requestId")]),
        ({"requestId": ""}, [("INVALID_FORMAT", "requestId")]),
        ({"requestId": 7}, [("INVALID_TYPE", "requestId")]),
        ({"requestId": "no guid"}, [("INVALID_FORMAT", "requestId")]),
        ({"account": {}}, [("MISSING_ATTRIBUTE", "account.refId")]),
        ({"account": {"refId": "a b"}}, [("INVALID_FORMAT", "account.refId")]),
        ({"account": "ACC-1"}, [("INVALID_TYPE", "account")]),
        ({"chargeAdjustment": 1.0}, [("INVALID_TYPE", "chargeAdjustment")]),
        ({"chargeAdjustment": 0}, [("AMOUNT_NOT_POSITIVE", "chargeAdjustment")]),
        ({"chargeAdjustment": 10**30}, [("AMOUNT_OUT_OF_RANGE", "chargeAdjustment")]),
        ({"surprise": 1}, [("UNKNOWN_ATTRIBUTE", "surprise")]),
        (
            {"requestId": ..., "account": ..., "user": ..., "currency": "eur", "surprise": 1},
            [
                *(("MISSING_ATTRIBUTE", name) for name in ("requestId", "user")),
                ("INVALID_FORMAT", "currency"),
                ("UNKNOWN_ATTRIBUTE", "surprise"),
            ],
        ),
    ],
)
async def test_all_faults_of_a_malformed_request_are_named_and_nothing_is_sent(
    client: httpx.AsyncClient,
    topic: ListedTopic,
    changes: dict[str, Any],
    expected: list[tuple[str, str]],
) -> None:
    answer = await client.post(PATH, json=a_request(**changes))
    assert answer.status_code == 400
    assert codes_and_fields(answer) == expected
    assert answer.json()["code"] == expected[0][0]
    assert topic.sent == []


@pytest.mark.parametrize(
    "strange", [b"[" * 100_000 + b"]" * 100_000, b"9" * 100_000, b"1e999", b'"\\u0000"', b"{}"]
)
async def test_strange_content_without_a_request_id_is_a_problem(
    client: httpx.AsyncClient, topic: ListedTopic, strange: bytes
) -> None:
    for headers in ({}, {"Idempotency-Key": REQUEST_ID}):
        body = b'{"comment": ' + strange + b', "other": ' + strange + b"}"
        answer = await client.post(PATH, content=body, headers=headers)
        assert answer.status_code == 400
    assert topic.sent == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "NOT_JSON"),
        (b"{", "NOT_JSON"),
        (b"\xff\xfe", "NOT_JSON"),
        (b'{"requestId": NaN}', "NOT_JSON"),
        (b'{"user": "a", "user": "b"}', "NOT_JSON"),
        (b'{"user": "\\ud800"}', "NOT_JSON"),
        (b"[" * 100_000, "NOT_JSON"),
        (b"[]", "NOT_AN_OBJECT"),
        (b"null", "NOT_AN_OBJECT"),
        (b'"text"', "NOT_AN_OBJECT"),
    ],
)
async def test_a_body_that_is_no_json_object_is_a_problem(
    client: httpx.AsyncClient, topic: ListedTopic, body: bytes, code: str
) -> None:
    for headers in ({}, {"Idempotency-Key": REQUEST_ID}):
        answer = await client.post(PATH, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert topic.sent == []


async def test_a_body_above_one_mebibyte_is_too_large(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    answer = await client.post(PATH, content=b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "REQUEST_TOO_LARGE")
    assert topic.sent == []


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (KafkaUnreachableError(), 503),
        (NotAcknowledgedError(), 504),
        (RequestTooLargeError(), 413),
    ],
)
async def test_what_kafka_does_not_take_is_a_problem(
    client: httpx.AsyncClient, topic: ListedTopic, raised: Exception, status: int
) -> None:
    topic.raises = raised
    answer = await client.post(PATH, json=a_request())
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) == (status >= 500)


async def test_no_acknowledgement_says_that_the_outcome_is_unknown(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    topic.raises = NotAcknowledgedError()
    answer = await client.post(PATH, json=a_request())
    assert "outcome: unknown, retry with the same requestId" in answer.json()["detail"]
    assert answer.json()["outcome"] == "unknown, retry with the same requestId"


async def test_a_fault_of_ours_shows_no_stack_trace(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    topic.raises = ValueError("of the test")
    answer = await client.post(PATH, json=a_request())
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert "Traceback" not in answer.text

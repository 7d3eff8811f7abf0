"""Reading one's own write, whichever process is asked."""

from typing import Any

import httpx
import pytest

from api.desk import Desk
from tests.api.builders import ACCOUNT, REQUEST_ID, a_refusal, a_request, a_result, an_answer
from tests.api.fakes import ListedTopic, SettledReader

PATH = "/v1/adjustments"
QUESTIONS = [f"{PATH}/{REQUEST_ID}", f"{PATH}/{REQUEST_ID}/events", "/v1/reasons"]


@pytest.mark.parametrize("value", [a_result(), a_refusal()])
async def test_an_answer_with_a_result_says_where_it_stands(
    client: httpx.AsyncClient, topic: ListedTopic, desk: Desk, value: bytes
) -> None:
    topic.before_acknowledging = lambda account, offset: desk.waiters.deliver(
        an_answer(value, account=account, request_offset=offset, partition=3, offset=1042)
    )
    answer = await client.post(PATH, json=a_request())
    assert answer.headers["adjust-position"] == "3-1042"


async def test_an_answer_without_a_result_stands_nowhere(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=a_request(), headers={"Prefer": "respond-async"})
    assert (answer.status_code, "adjust-position" in answer.headers) == (202, False)


@pytest.mark.parametrize("path", QUESTIONS)
async def test_a_question_waits_until_the_position_is_shown(
    client: httpx.AsyncClient, reader: SettledReader, path: str
) -> None:
    without = await client.get(path)
    answer = await client.get(path, headers={"Adjust-After": "3-1042"})
    assert (answer.status_code, answer.content) == (without.status_code, without.content)
    assert reader.shown == [(3, 1042)]


async def test_a_preview_waits_and_a_request_does_not(
    client: httpx.AsyncClient, reader: SettledReader
) -> None:
    for path in (PATH, f"{PATH}/preview"):
        headers = {"Adjust-After": "3-1042", "Prefer": "respond-async"}
        answer = await client.post(path, json=a_request(), headers=headers)
        assert answer.status_code < 300
    assert reader.shown == [(3, 1042)]


@pytest.mark.parametrize("path", QUESTIONS)
async def test_what_cannot_be_shown_yet_is_not_guessed(
    client: httpx.AsyncClient, reader: SettledReader, path: str
) -> None:
    reader.is_behind = True
    answer = await client.get(path, headers={"Adjust-After": "0-7"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    "given",
    [
        *("", "7", "1-", "-1", "1-2-3", "1 - 2", "0x1-2", "a-b", "1-2, 1-2", "'; DROP TABLE x"),
        *("1-" + "9" * 19, "9" * 10_000 + "-1", "²-1", "\N{ARABIC-INDIC DIGIT ONE}-1", "1-2\x00"),
    ],
)
async def test_a_malformed_position_is_a_problem_that_names_the_header(
    client: httpx.AsyncClient, reader: SettledReader, given: str
) -> None:
    headers: Any = {b"Adjust-After": given.encode()}
    answer = await client.get(f"{PATH}/{REQUEST_ID}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    (fault,) = answer.json()["errors"]
    assert (fault["code"], fault["field"]) == ("INVALID_FORMAT", "Adjust-After")
    assert reader.shown == []


async def test_two_positions_are_one_too_many(client: httpx.AsyncClient) -> None:
    headers = [("Adjust-After", "0-1"), ("Adjust-After", "0-1")]
    answer = await client.get(f"{PATH}/{REQUEST_ID}?account={ACCOUNT}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")

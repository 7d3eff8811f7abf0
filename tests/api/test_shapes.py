"""What REST says of a request of every shape."""

import httpx
import pytest

from tests.api.builders import ACCOUNT
from tests.api.fakes import ListedTopic
from tests.shapes import GOOD, UNREADABLE, WRONG, WRONG_ACCOUNTS, value_of

PATH = "/v1/adjustments"
ALL_WRONG = WRONG | WRONG_ACCOUNTS


@pytest.mark.parametrize("shows", ALL_WRONG)
async def test_all_that_is_wrong_is_told_and_nothing_is_sent(
    client: httpx.AsyncClient, topic: ListedTopic, shows: str
) -> None:
    body, faults = ALL_WRONG[shows]
    answer = await client.post(PATH, content=value_of(body))
    assert [(fault["code"], fault["field"]) for fault in answer.json()["errors"]] == faults
    assert (answer.status_code, answer.json()["code"]) == (400, faults[0][0])
    assert topic.sent == []


@pytest.mark.parametrize("shows", GOOD)
async def test_a_request_in_order_is_sent_as_it_came(
    client: httpx.AsyncClient, topic: ListedTopic, shows: str
) -> None:
    value = value_of(GOOD[shows])
    answer = await client.post(PATH, content=value, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    assert topic.sent == [(ACCOUNT, value, None)]


@pytest.mark.parametrize("shows", UNREADABLE)
async def test_what_is_no_json_object_is_a_problem_and_is_not_sent(
    client: httpx.AsyncClient, topic: ListedTopic, shows: str
) -> None:
    value, code = UNREADABLE[shows]
    answer = await client.post(PATH, content=value)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert topic.sent == []

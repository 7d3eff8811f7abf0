"""What REST says of a request of every shape; one client asks them all, for it is dear to make."""

import httpx

from tests.api.builders import ACCOUNT
from tests.api.fakes import ListedTopic
from tests.shapes import GOOD, UNREADABLE, WRONG, WRONG_ACCOUNTS, value_of

PATH = "/v1/adjustments"
NO_WAIT = {"Prefer": "respond-async"}


async def test_all_that_is_wrong_is_told_and_nothing_is_sent(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    for shows, (body, faults) in (WRONG | WRONG_ACCOUNTS).items():
        answer = await client.post(PATH, content=value_of(body), headers=NO_WAIT)
        assert (answer.status_code, topic.sent) == (400, []), shows
        told = [(fault["code"], fault["field"]) for fault in answer.json()["errors"]]
        assert told == faults, shows
        assert answer.json()["code"] == faults[0][0], shows


async def test_a_request_in_order_is_sent_as_it_came(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    for shows, body in GOOD.items():
        answer = await client.post(PATH, content=value_of(body), headers=NO_WAIT)
        assert answer.status_code == 202, (shows, answer.text)
        assert topic.sent.pop() == (ACCOUNT, value_of(body), None), shows


async def test_what_is_no_json_object_is_a_problem_and_is_not_sent(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    for shows, (value, code) in UNREADABLE.items():
        answer = await client.post(PATH, content=value, headers=NO_WAIT)
        assert (answer.status_code, answer.json()["code"]) == (400, code), shows
    assert topic.sent == []

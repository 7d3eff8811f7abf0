"""What a request would come to, over REST."""

import json
import uuid
from typing import Any

import httpx
import pytest

from api.lookups import Lookups
from api.store import Store
from tests.api.fakes import ListedTopic, SettledReader
from tests.api.in_memory import ACCOUNT, EngineInMemory
from tests.builders import (
    ABSENT,
    REQUEST_ID,
    account_body,
    event_body,
    request_body,
    reversal_body,
)
from tests.postgres import on_both_databases

PATH, PREVIEW = "/v1/adjustments", "/v1/adjustments/preview"
ADJUSTMENT = f"ADJ-{ACCOUNT}-{REQUEST_ID}"
Body = dict[str, Any]


@pytest.fixture
def engine(store: Store) -> EngineInMemory:
    """An engine that knows an account and its charge, and so does the read model."""
    engine = EngineInMemory(store)
    engine.take("account", account_body())
    engine.take("event", event_body())
    return engine


async def preview(client: httpx.AsyncClient, body: Body, **headers: str) -> httpx.Response:
    return await client.post(PREVIEW, json=body, headers=headers)


def code_of(answer: httpx.Response) -> str:
    """Give the status of a result, or why it is refused."""
    result = answer.json()
    assert answer.status_code == 200, result
    code: str = result["errors"][0]["code"] if result["errors"] else result["status"]
    return code


@pytest.mark.usefixtures("engine")
async def test_a_preview_is_the_result_without_a_time_and_nothing_is_published(
    client: httpx.AsyncClient, topic: ListedTopic
) -> None:
    for _ in range(2):
        answer = await preview(client, request_body())
        assert code_of(answer) == "APPLIED"
        result = answer.json()
        assert result["adjustment"]["refId"] == ADJUSTMENT
        assert result["remaining"]["taxIncludedAmount"] == 11100000
        assert result["requestedAt"] is result["adjustment"]["requestedAt"] is None
        assert (result["adjustment"]["channel"], result["adjustment"]["batch"]) == ("REST", None)
        assert "location" not in answer.headers
    assert topic.sent == []


@pytest.mark.usefixtures("engine")
async def test_a_refusal_is_a_result_too(client: httpx.AsyncClient) -> None:
    answer = await preview(client, request_body(chargeAdjustment=10**9))
    assert code_of(answer) == "CREDIT_EXCEEDS_REMAINING"
    assert answer.json()["remaining"]["taxIncludedAmount"] == 12100000


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("lag", "said"), [(0, "0"), (1042, "1042"), (None, "unknown")])
async def test_a_preview_says_how_far_it_may_be_behind(
    client: httpx.AsyncClient, reader: SettledReader, lag: int | None, said: str
) -> None:
    reader.lag = lag
    assert (await preview(client, request_body())).headers["adjust-lag"] == said


@pytest.mark.usefixtures("engine")
async def test_the_idempotency_key_and_the_event_stand_in_for_what_is_missing(
    client: httpx.AsyncClient,
) -> None:
    body = request_body(requestId=ABSENT, account=ABSENT)
    answer = await preview(client, body, **{"Idempotency-Key": REQUEST_ID})
    assert code_of(answer) == "APPLIED"
    assert answer.json()["account"] == {"refId": ACCOUNT}


@pytest.mark.parametrize(
    "content", [b"", b"[]", json.dumps(request_body(user=7, colour="red")).encode(), b" " * 2**21]
)
async def test_what_is_malformed_is_the_same_problem_as_it_is_to_post(
    client: httpx.AsyncClient, content: bytes
) -> None:
    posted, previewed = [await client.post(path, content=content) for path in (PATH, PREVIEW)]
    assert previewed.status_code == posted.status_code >= 400
    instance = {"instance": PATH} if "instance" in posted.json() else {}
    assert previewed.json() | instance == posted.json()


async def test_a_repeat_is_the_first_result_itself(
    client: httpx.AsyncClient, engine: EngineInMemory
) -> None:
    first = engine.take("request", request_body())
    engine.take("request", request_body(user=ABSENT))  # malformed, and in nobody's way
    for asked in (request_body(), request_body(account=ABSENT)):
        answer = await preview(client, asked)
        assert (answer.status_code, answer.content) == (200, first)
        assert answer.headers["idempotent-replayed"] == "true"


async def test_other_content_under_the_same_id_is_refused(
    client: httpx.AsyncClient, engine: EngineInMemory
) -> None:
    engine.take("request", request_body())
    answer = await preview(client, request_body(chargeAdjustment=5))
    assert code_of(answer) == "REQUEST_ID_REUSED"
    assert "idempotent-replayed" not in answer.headers


async def test_an_adjustment_can_be_undone_once(
    client: httpx.AsyncClient, engine: EngineInMemory
) -> None:
    engine.take("request", request_body())
    assert code_of(await preview(client, reversal_body(ADJUSTMENT))) == "APPLIED"
    engine.take("request", reversal_body(ADJUSTMENT))
    again = reversal_body(ADJUSTMENT, requestId=str(uuid.uuid4()))
    assert code_of(await preview(client, again)) == "ALREADY_REVERSED"


MISSING: list[tuple[Body, str]] = [
    (request_body(account={"refId": "ACC-9"}), "ACCOUNT_NOT_FOUND"),
    (request_body(chargeableEventRefId="CE-9"), "CHARGEABLE_EVENT_NOT_FOUND"),
    (reversal_body(ADJUSTMENT), "ADJUSTMENT_NOT_FOUND"),
    (reversal_body(f"ADJ-ACC-9-{REQUEST_ID}"), "ADJUSTMENT_NOT_FOUND"),
]


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("asked", "code"), MISSING)
async def test_nothing_is_said_to_be_missing_before_all_was_read(
    client: httpx.AsyncClient, reader: SettledReader, asked: Body, code: str
) -> None:
    assert code_of(await preview(client, asked)) == code
    reader.is_behind = True
    answer = await preview(client, asked)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_what_was_still_to_be_read_is_found(
    client: httpx.AsyncClient, reader: SettledReader, store: Store
) -> None:
    engine = EngineInMemory(store)
    engine.take("account", account_body())
    reader.catches_up_by = lambda: engine.take("event", event_body())
    assert code_of(await preview(client, request_body())) == "APPLIED"


@pytest.mark.parametrize("seen_first", ["request", "result"])
async def test_an_earlier_request_must_be_decided_and_known_first(
    client: httpx.AsyncClient,
    reader: SettledReader,
    store: Store,
    engine: EngineInMemory,
    seen_first: str,
) -> None:
    asked, published = engine.decide("request", request_body())
    first, second = (asked, published) if seen_first == "request" else (published, asked)
    store.keep(first)
    for is_behind in (True, False):
        reader.is_behind = is_behind
        answer = await preview(client, request_body())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "is not decided yet" in answer.json()["detail"]
    reader.catches_up_by = lambda: store.keep(second)
    answer = await preview(client, request_body())
    assert answer.content == published.answers[0].value


@on_both_databases
def test_what_is_read_at_one_moment_is_of_one_moment(store: Store) -> None:
    engine = EngineInMemory(store)
    engine.take("account", account_body())
    with Lookups(store.engine).at_one_moment() as rows:
        before = rows.account(ACCOUNT)
        engine.take("account", account_body(state="SUSPENDED"))
        engine.take("event", event_body())
        assert (rows.account(ACCOUNT), rows.events("CE-500001", None)) == (before, [])
    after = Lookups(store.engine)
    assert after.account(ACCOUNT) != before
    assert len(after.events("CE-500001", None)) == 1

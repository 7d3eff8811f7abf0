"""REST on a real Kafka: what is kept of the topics, and what happens when Kafka is away."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from api.app import build_app
from api.desk import open_desk
from api.store import Store
from schemas.connection import KafkaConnection
from schemas.topics import TopicSettings
from streams.topics import make_topics
from tests.api.builders import a_request, sqlite_url
from tests.api.engine import PARTITIONS, REQUESTS, LittleEngine, little_engine
from tests.conftest import running
from tools.kafka.broker import Broker

PATH = "/v1/adjustments"
NO_WAIT = {"Prefer": "respond-async"}
LIMIT_S = 30.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka of its own: it is stopped, frozen and brought back."""
    with running(Broker(tmp_path_factory.mktemp("kafka-of-rest"))) as started:
        connection = KafkaConnection(bootstrap_servers=started.bootstrap)
        asyncio.run(make_topics(connection, TopicSettings(partitions=PARTITIONS)))
        yield started


@pytest.fixture
def connection(broker: Broker) -> KafkaConnection:
    """How to reach it."""
    return KafkaConnection(bootstrap_servers=broker.bootstrap)


@pytest.fixture
async def engine(connection: KafkaConnection) -> AsyncIterator[LittleEngine]:
    """What answers requests."""
    async with little_engine(connection) as started:
        yield started


@pytest.fixture
async def client(connection: KafkaConnection, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of REST that is ready."""
    async with rest(connection, tmp_path) as caller:
        yield caller


@asynccontextmanager
async def rest(connection: KafkaConnection, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Run REST on a home until the end of the block, ready at its beginning."""
    store = Store(sqlite_url(home))
    app = build_app(lambda: open_desk(store, connection.client_options()))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://adjust") as caller,
    ):
        await until(lambda: answers(caller.get("/readyz"), 200))
        await until(lambda: answers(caller.post(PATH, json=new_request(), headers=NO_WAIT), 202))
        yield caller


async def answers(call: Awaitable[httpx.Response], status: int) -> bool:
    """Say whether a call is answered with this status."""
    return (await call).status_code == status


async def until(is_true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, with a limit."""
    async with asyncio.timeout(LIMIT_S):
        while not await is_true():  # noqa: ASYNC110 - what is waited for is elsewhere
            await asyncio.sleep(0.02)


def new_request(**changes: object) -> dict[str, object]:
    """Give a request that nobody made before."""
    return a_request(**{"requestId": str(uuid.uuid4())} | changes)


async def send(connection: KafkaConnection, request: dict[str, object], account: str) -> None:
    """Put a request straight on its topic."""
    producer = AIOKafkaProducer(**connection.client_options())
    await producer.start()
    await producer.send_and_wait(REQUESTS, json.dumps(request).encode(), key=account.encode())
    await producer.stop()


async def ids_on_topic(connection: KafkaConnection) -> list[str]:
    """Give the requestIds of all request records."""
    async with AIOKafkaConsumer(**connection.client_options()) as consumer:
        places = [TopicPartition(REQUESTS, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning()
        found = []
        while any([await consumer.position(at) < ends[at] for at in places]):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [json.loads(record.value)["requestId"] for record in records]
    return found


@pytest.mark.usefixtures("engine")
async def test_whoever_has_an_answer_finds_it_again(client: httpx.AsyncClient) -> None:
    for number in range(20):
        request = new_request(account={"refId": f"ACC-{number}"})
        answer = await client.post(PATH, json=request)
        found = await client.get(answer.headers["location"])
        assert (answer.status_code, found.status_code) == (201, 200)
        assert found.content == answer.content


@pytest.mark.usefixtures("engine")
async def test_a_repeat_is_answered_like_the_first_time(client: httpx.AsyncClient) -> None:
    request = new_request()
    first = await client.post(PATH, json=request)
    again = await client.post(PATH, json=request)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.usefixtures("engine")
async def test_two_clients_with_one_id_get_each_their_own_answer(client: httpx.AsyncClient) -> None:
    one = new_request()
    for _ in range(10):
        one["requestId"] = str(uuid.uuid4())
        other = one | {"chargeableEventRefId": "CE-OTHER"}
        got = await asyncio.gather(client.post(PATH, json=one), client.post(PATH, json=other))
        assert sorted(answer.status_code for answer in got) == [201, 422]
        for asked, answer in zip((one, other), got, strict=True):
            assert answer.json()["chargeableEventRefId"] == asked["chargeableEventRefId"]
        applied = next(answer for answer in got if answer.status_code == 201)
        assert (await client.get(f"{PATH}/{one['requestId']}")).content == applied.content


async def test_a_request_straight_on_the_topic_is_received_and_then_decided(
    client: httpx.AsyncClient, engine: LittleEngine, connection: KafkaConnection
) -> None:
    engine.may_run.clear()
    request = new_request()
    await send(connection, request, "ACC-1001")
    path = f"{PATH}/{request['requestId']}"
    assert (await client.get(path)).json()["status"] == "RECEIVED"
    events = asyncio.create_task(client.get(path + "/events"))
    waiting = asyncio.create_task(client.get(path, headers={"Prefer": "wait=20"}))
    await until(lambda: has_waiting(client, 2))
    engine.may_run.set()
    assert (await waiting).json()["status"] == "APPLIED"
    assert "event: decided" in (await events).text


async def has_waiting(client: httpx.AsyncClient, count: int) -> bool:
    """Say whether so many callers wait."""
    return await is_counted(client, f"adjust_api_waiting {count}.0")


async def test_dead_letters_and_strange_ids_were_never_received(
    client: httpx.AsyncClient, connection: KafkaConnection
) -> None:
    request = new_request(account={"refId": "ACC-OTHER"})
    await send(connection, request, "ACC-1001")
    for request_id in (request["requestId"], uuid.uuid4(), "no-guid"):
        assert (await client.get(f"{PATH}/{request_id}")).status_code == 404


@pytest.mark.usefixtures("engine")
async def test_an_absence_is_told_in_the_midst_of_traffic(client: httpx.AsyncClient) -> None:
    async def keep_asking() -> None:
        while True:
            await client.post(PATH, json=new_request())

    traffic = [asyncio.create_task(keep_asking()) for _ in range(4)]
    for _ in range(5):
        assert (await client.get(f"{PATH}/{uuid.uuid4()}")).status_code == 404
    for task in traffic:
        task.cancel()
    await asyncio.wait(traffic)


@pytest.mark.usefixtures("engine")
async def test_yesterdays_answer_is_there_after_a_restart(
    connection: KafkaConnection, tmp_path: Path
) -> None:
    request = new_request()
    async with rest(connection, tmp_path) as client:
        first = await client.post(PATH, json=request)
    async with rest(connection, tmp_path) as client:
        found = await client.get(f"{PATH}/{request['requestId']}")
        assert (found.status_code, found.content) == (200, first.content)
    (tmp_path / "api.db").unlink()
    async with rest(connection, tmp_path) as client:
        assert (await client.get(f"{PATH}/{request['requestId']}")).content == first.content


async def test_while_kafka_is_away_requests_are_refused_at_once_and_never_sent_later(
    client: httpx.AsyncClient, broker: Broker, connection: KafkaConnection
) -> None:
    await asyncio.to_thread(broker.stop)
    refused = [new_request() for _ in range(5)]
    for request in refused:
        began = time.monotonic()
        answer = await client.post(PATH, json=request)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert time.monotonic() - began < 1
    await asyncio.to_thread(broker.start)
    await broker.wait_ready()
    await until(lambda: answers(client.post(PATH, json=new_request(), headers=NO_WAIT), 202))
    ids = await ids_on_topic(connection)
    assert not {request["requestId"] for request in refused} & {*ids}
    async with little_engine(connection):
        assert (await client.post(PATH, json=new_request())).status_code == 201


async def test_no_acknowledgement_is_an_unknown_outcome_and_nothing_is_sent_twice(
    client: httpx.AsyncClient, broker: Broker, connection: KafkaConnection
) -> None:
    java = java_of(broker)
    lost = new_request()
    java.suspend()
    try:
        answer = await client.post(PATH, json=lost)
        assert (answer.status_code, answer.json()["code"]) == (504, "GATEWAY_TIMEOUT")
        assert (await client.post(PATH, json=new_request())).status_code == 503
    finally:
        java.resume()
    await until(lambda: answers(client.post(PATH, json=new_request(), headers=NO_WAIT), 202))
    assert (await ids_on_topic(connection)).count(str(lost["requestId"])) <= 1


def java_of(broker: Broker) -> psutil.Process:
    """Give the process that is Kafka."""
    return next(
        child
        for child in psutil.Process().children(recursive=True)
        if "java" in child.name() and child.cwd() == str(broker.home)
    )


@pytest.mark.usefixtures("engine")
async def test_how_far_behind_is_counted_and_comes_to_nothing(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=new_request())
    await until(lambda: is_counted(client, "adjust_api_lag_records 0.0"))
    assert (await client.get("/readyz")).json() == {"status": "ready", "lag": 0}


async def is_counted(client: httpx.AsyncClient, line: str) -> bool:
    """Say whether the metrics have a line."""
    return line in (await client.get("/metrics")).text

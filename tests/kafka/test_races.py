"""Several clients at one charge at the same moment, over two REST processes and one engine."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import build_app
from api.desk import open_desk
from api.store import Store
from tests.api.builders import sqlite_url
from tests.kafka.conftest import Engine
from tools.workers import WorkerProcess

ACCOUNT, EVENT = "ACC-0000007", "CE-0000007-001"
ROUNDS = 10
PATH = "/v1/adjustments"
WAIT = {"Prefer": "wait=30"}
READY_MAX_S = 30.0


@pytest.fixture(scope="module", autouse=True)
def worker(engine: Engine) -> Iterator[WorkerProcess]:
    """One worker for all tests of this file."""
    with engine.worker("races") as worker:
        yield worker.wait_ready()
        assert worker.stop() == 0


@pytest.fixture
async def clients(engine: Engine, tmp_path: Path) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A caller of each of two REST services, which share nothing but Kafka."""
    async with AsyncExitStack() as stack:
        homes = [tmp_path / name for name in ("one", "other")]
        for home in homes:
            home.mkdir()
        yield [await stack.enter_async_context(rest(engine, home)) for home in homes]


@asynccontextmanager
async def rest(engine: Engine, home: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = Store(sqlite_url(home))
    app = build_app(lambda: open_desk(store, engine.connection.client_options()))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://adjust", timeout=60
        ) as client,
    ):
        async with asyncio.timeout(READY_MAX_S):
            while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.1)
            while (await post(client, asked(currency="USD"))).status_code == 503:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        yield client


async def post(client: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
    return await client.post(PATH, json=body, headers=WAIT)


def asked(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "requestId": str(uuid.uuid4()),
        "user": "crm:jane",
        "account": {"refId": ACCOUNT},
        "chargeableEventRefId": EVENT,
        "currency": "EUR",
    }
    if "reversalOf" not in changes:
        body |= {"chargeType": "CREDIT", "chargeAdjustment": 1000, "taxIncluded": True}
    return body | changes


def outcome(answer: httpx.Response) -> str:
    return "APPLIED" if answer.status_code == 201 else str(answer.json()["code"])


async def test_of_two_that_undo_one_adjustment_at_once_one_does(
    engine: Engine, clients: list[httpx.AsyncClient]
) -> None:
    for _ in range(ROUNDS):
        credited = await post(clients[0], asked())
        ref_id = credited.json()["adjustment"]["refId"]
        answers = await asyncio.gather(
            *(post(client, asked(reversalOf=ref_id)) for client in clients)
        )
        assert Counter(map(outcome, answers)) == {"APPLIED": 1, "ALREADY_REVERSED": 1}
    engine.check()


async def test_of_fifty_that_credit_one_charge_as_many_as_fit_are_applied(
    engine: Engine, clients: list[httpx.AsyncClient]
) -> None:
    target = asked(
        adjustmentMode="SET_TO", targetAmount=20_000, chargeType=None, chargeAdjustment=None
    )
    assert outcome(await post(clients[0], target)) == "APPLIED"
    answers = await asyncio.gather(*(post(clients[number % 2], asked()) for number in range(50)))
    assert Counter(map(outcome, answers)) == {"APPLIED": 20, "CREDIT_EXCEEDS_REMAINING": 30}
    engine.check()

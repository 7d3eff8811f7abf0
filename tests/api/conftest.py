"""REST over fakes: the application, its parts and a client."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from api.app import build_app
from api.batches.reports import Batches
from api.desk import Desk
from api.ingress import Publisher
from api.lookups import Lookups
from api.metrics import Metrics
from api.results import Waiters
from api.searching import Searches
from api.store import Store
from tests.api.fakes import KeptLog, ListedTopic, SettledReader


@pytest.fixture
def topic() -> ListedTopic:
    """The topic that requests go to."""
    return ListedTopic()


@pytest.fixture
def reader() -> SettledReader:
    """The reader of the topics."""
    return SettledReader()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An empty store."""
    opened = Store(database)
    yield opened
    opened.close()


@pytest.fixture
def waiters() -> Waiters:
    """Who waits for results."""
    return Waiters()


@pytest.fixture
def desk(topic: Publisher, reader: SettledReader, store: Store, waiters: Waiters) -> Desk:
    """The parts behind the routes."""
    return Desk(
        ingress=topic,
        reader=reader,
        lookups=Lookups(store.engine),
        searches=Searches(store.engine),
        waiters=waiters,
        metrics=Metrics(),
        batches=Batches(store.engine),
        batch_log=KeptLog(store),
    )


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of REST; a fault of ours comes back as it would over the wire."""

    @asynccontextmanager
    async def open_desk() -> AsyncIterator[Desk]:
        yield desk

    app = build_app(open_desk)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://adjust") as caller,
    ):
        yield caller

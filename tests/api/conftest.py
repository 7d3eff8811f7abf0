"""REST over fakes: the application, its parts and a client."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from api.app import build_app
from api.desk import Desk
from api.lookups import Lookups
from api.metrics import Metrics
from api.results import Waiters
from api.store import Store
from tests.api.builders import sqlite_url
from tests.api.fakes import ListedTopic, SettledReader


@pytest.fixture
def topic() -> ListedTopic:
    """The topic that requests go to."""
    return ListedTopic()


@pytest.fixture
def reader() -> SettledReader:
    """The reader of the topics."""
    return SettledReader()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def desk(topic: ListedTopic, reader: SettledReader, store: Store) -> Desk:
    """The parts behind the routes."""
    lookups = Lookups(store.engine)
    return Desk(ingress=topic, reader=reader, lookups=lookups, waiters=Waiters(), metrics=Metrics())


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

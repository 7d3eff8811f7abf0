"""The proxy passes everything on, cuts, holds and delays, and lets go again."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Self

import pytest

from tools.chaos.proxy import Link, Proxy
from tools.kafka.ports import LOOPBACK, free_ports
from tools.waiting import comes_true

WAIT_S = 20.0
NEVER_S = 0.2  # what is held does not come however long one waits


class Caller:
    """One connection through the proxy to a far end that says back what it hears."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, text: bytes) -> None:
        self.writer.write(text)

    async def hear(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), WAIT_S)

    async def hears_nothing(self) -> bool:
        try:
            return not await asyncio.wait_for(self.reader.read(1), NEVER_S)
        except TimeoutError:
            return True

    async def is_ended(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(1), WAIT_S) == b""
        except ConnectionError:
            return True


class Far:
    """The far end."""

    def __init__(self) -> None:
        self.heard = b""
        self.connections: list[asyncio.StreamWriter] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        while data := await reader.read(100):
            self.heard += data
            writer.write(data)
        writer.close()


@pytest.fixture
async def far() -> AsyncIterator[tuple[Far, int]]:
    end, (port,) = Far(), free_ports(0)
    server = await asyncio.start_server(end.answer, LOOPBACK, port)
    yield end, port
    server.close()
    for connection in end.connections:
        connection.close()


class Tried(Proxy):
    """A proxy that knows who called through it."""

    def __init__(self, target_port: int) -> None:
        super().__init__(free_ports(0)[0], target_port)
        self.callers: list[Caller] = []

    async def call(self) -> Caller:
        self.callers.append(Caller(*await asyncio.open_connection(LOOPBACK, self.port)))
        return self.callers[-1]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        for caller in self.callers:
            caller.writer.close()
        await self.close()


@pytest.fixture
async def proxy(far: tuple[Far, int]) -> AsyncIterator[Tried]:
    async with Tried(far[1]) as made:
        yield made


async def answered(proxy: Tried) -> Caller:
    """A connection that has been used."""
    caller = await proxy.call()
    caller.say(b"hello")
    assert await caller.hear(5) == b"hello"
    return caller


async def test_all_bytes_pass_in_both_directions(proxy: Tried) -> None:
    caller, much = await proxy.call(), bytes(range(256)) * 4000

    caller.say(much)

    assert await caller.hear(len(much)) == much


async def test_a_cut_ends_what_there_is_and_what_comes_until_it_heals(proxy: Tried) -> None:
    before = await answered(proxy)

    proxy.cut()

    assert await before.is_ended()
    assert await (await proxy.call()).is_ended()
    proxy.heal()
    await answered(proxy)


async def test_held_connections_stay_open_and_what_was_held_comes_later(
    proxy: Tried, far: tuple[Far, int]
) -> None:
    caller = await answered(proxy)

    proxy.hold(answers_only=False)
    caller.say(b"are you there")

    assert await caller.hears_nothing()
    assert far[0].heard == b"hello"
    proxy.heal()
    assert await caller.hear(13) == b"are you there"


async def test_held_answers_let_the_questions_through(proxy: Tried, far: tuple[Far, int]) -> None:
    caller = await answered(proxy)

    proxy.hold(answers_only=True)
    caller.say(b"do it")

    assert await caller.hears_nothing()
    assert far[0].heard == b"hellodo it"
    proxy.drop()
    assert await caller.is_ended()


async def test_a_delay_is_kept_in_both_directions(proxy: Tried) -> None:
    caller = await answered(proxy)
    proxy.delay(0.05)
    begun = time.monotonic()

    caller.say(b"slow")

    assert await caller.hear(4) == b"slow"
    assert time.monotonic() - begun >= 0.1
    proxy.heal()
    await answered(proxy)


async def test_a_cut_tells_how_many_connections_it_ended_and_refused(proxy: Tried) -> None:
    caller = await answered(proxy)

    proxy.cut()

    assert await caller.is_ended()
    assert proxy.struck == 1
    assert await (await proxy.call()).is_ended()
    assert proxy.struck == 2


async def test_a_hold_and_a_delay_tell_whether_anything_was_under_way(proxy: Tried) -> None:
    caller = await answered(proxy)
    proxy.hold(answers_only=False)
    assert proxy.struck == 0
    caller.say(b"are you there")
    assert await comes_true(lambda: proxy.struck)
    proxy.heal()
    await caller.hear(13)

    proxy.delay(0.01)

    assert proxy.struck == 0
    caller.say(b"slow")
    await caller.hear(4)
    assert proxy.struck == 2


async def test_a_far_end_that_is_away_ends_the_connection() -> None:
    (nobody,) = free_ports(0)

    async with Tried(nobody) as lonely:
        assert await (await lonely.call()).is_ended()


def test_a_link_names_the_proxies_of_all_nodes() -> None:
    assert Link((Proxy(1, 2), Proxy(3, 4))).addresses == "127.0.0.1:1,127.0.0.1:3"

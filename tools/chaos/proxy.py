"""Stands between a client and a broker, and cuts, holds or delays what goes through."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from tools.kafka.ports import LOOPBACK

READ_MAX = 1 << 16


@dataclass
class Lane:
    """One direction of all connections."""

    flows: asyncio.Event = field(default_factory=asyncio.Event)
    delay_s: float = 0.0
    struck: int = 0  # pieces that were held or delayed


class Proxy:
    """Passes on what comes to one port, until it is told otherwise."""

    def __init__(self, port: int, target_port: int) -> None:
        self.port = port
        self._target_port = target_port
        self._to_broker, self._to_client = Lane(), Lane()
        self._is_cut, self._ended = False, 0
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self.heal()
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    async def close(self) -> None:
        """Listen no more, and end all connections."""
        if self._server:
            self._server.close()
            self.drop()
            while self._connections:
                await asyncio.wait(set(self._connections))

    @property
    def struck(self) -> int:
        """How many connections and pieces the last cut, hold or delay did something to."""
        return self._ended + self._to_broker.struck + self._to_client.struck

    def cut(self) -> None:
        """End all connections, and every new one at once."""
        self._begin()
        self._is_cut, self._ended = True, len(self._connections)
        self.drop()

    def hold(self, *, answers_only: bool) -> None:
        """Keep all connections open and pass nothing on: both ends believe that the other lives."""
        self._begin()
        self._to_client.flows.clear()
        if not answers_only:
            self._to_broker.flows.clear()

    def delay(self, wait_s: float) -> None:
        """Pass each piece on so much later, in both directions."""
        self._begin()
        self._to_broker.delay_s = self._to_client.delay_s = wait_s

    def heal(self) -> None:
        """Pass everything on again; what was held goes through now."""
        self._is_cut = False
        for lane in (self._to_broker, self._to_client):
            lane.delay_s = 0.0
            lane.flows.set()

    def drop(self) -> None:
        """End all connections that there are."""
        for connection in self._connections:
            connection.cancel()

    def _begin(self) -> None:
        self._ended = self._to_broker.struck = self._to_client.struck = 0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection
        self._connections.add(connection)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                if self._is_cut:
                    self._ended += 1
                else:
                    await self._connect(reader, writer)
        finally:
            writer.transport.abort()
            self._connections.discard(connection)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target_port)
        ways = {
            asyncio.create_task(_pass_on(reader, far_writer, self._to_broker)),
            asyncio.create_task(_pass_on(far_reader, writer, self._to_client)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            far_writer.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lane: Lane) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(READ_MAX):
            lane.struck += bool(lane.delay_s) or not lane.flows.is_set()
            if lane.delay_s:
                await asyncio.sleep(lane.delay_s)
            await lane.flows.wait()
            writer.write(data)
            await writer.drain()


@dataclass(frozen=True)
class Link:
    """One client's way to all nodes: a proxy before each."""

    proxies: tuple[Proxy, ...]

    @property
    def addresses(self) -> str:
        """What the client is told to connect to."""
        return ",".join(f"{LOOPBACK}:{proxy.port}" for proxy in self.proxies)

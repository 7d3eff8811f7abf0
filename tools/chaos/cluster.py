"""The Kafka of one round: one node or three, each with a listener for every client's proxy."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tools.chaos.outcome import NotDoneError
from tools.chaos.proxy import Link, Proxy
from tools.kafka.broker import STOP_ONE_OF_MANY_S, Broker
from tools.kafka.ports import free_ports
from tools.kafka.program import new_cluster_id
from tools.kafka.settings import Listener
from tools.waiting import wait_until

WHOLE_MAX_S, METADATA_MAX_S = 30.0, 2.0


class Cluster:
    """Nodes, and the links that clients reach them by."""

    def __init__(self, home: Path, nodes: int, clients: list[str]) -> None:
        """Choose all ports; they stay the same over restarts."""
        self._is_struck = asyncio.Lock()  # by a fault: one node at a time
        ports = iter(free_ports(*[0] * (nodes * (2 + 2 * len(clients)))))
        controllers = {number: next(ports) for number in range(1, nodes + 1)}
        cluster_id = new_cluster_id()
        self.nodes: list[Broker] = []
        self._coming: list[Broker] = []  # started, and not known to answer
        proxies: dict[str, list[Proxy]] = {client: [] for client in clients}
        for number in controllers:
            listeners = [
                Listener(_listener_name(client), next(ports), next(ports)) for client in clients
            ]
            for client, listener in zip(clients, listeners, strict=True):
                proxies[client].append(Proxy(listener.advertised_port, listener.port))
            node = Broker(
                home / f"kafka-{number}",
                port=next(ports),
                number=number,
                controllers=controllers,
                cluster_id=cluster_id,
                more=listeners,
            )
            if nodes > 1:
                node.stop_s = STOP_ONE_OF_MANY_S
            self.nodes.append(node)
        self.links = {client: Link(tuple(ways)) for client, ways in proxies.items()}

    @property
    def bootstrap(self) -> str:
        """Where load and judges connect: no proxy is between."""
        return ",".join(node.bootstrap for node in self.nodes)

    async def start(self) -> None:
        """Start all nodes, and wait until they are ready. Raises EmbeddedKafkaError."""
        for link in self.links.values():
            for proxy in link.proxies:
                await proxy.start()
        self._coming += self.nodes
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in self.nodes))
        await self.settle()

    @asynccontextmanager
    async def hold_of_node(self, draw: random.Random) -> AsyncIterator[Broker]:
        """Choose a node to strike, once all have recovered from the last stroke.

        Raises NotDoneError where a partition lacks a copy: the stroke could take the last one.
        """
        async with self._is_struck:
            await self.settle()
            admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": "0"})
            if not await asyncio.to_thread(_becomes_whole, admin):
                raise NotDoneError("partitions lack copies")
            yield draw.choice(self.nodes)

    async def bring_back(self, node: Broker) -> float:
        """Start a node again after `stop` or `kill`, at its old address; say when that was.

        It is on its way then; `settle` waits until it answers.
        """
        address = node.bootstrap
        await asyncio.to_thread(node.stop)
        started_at = time.monotonic()
        self._coming.append(node)
        await asyncio.to_thread(node.start)
        assert node.bootstrap == address, node.notice
        return started_at

    async def settle(self) -> None:
        """Wait until all that were started answer. Raises EmbeddedKafkaError."""
        await asyncio.gather(*(node.wait_ready() for node in self._coming))
        self._coming.clear()

    async def stop(self) -> None:
        """End everything at once: nobody needs it any more."""
        await asyncio.gather(*(asyncio.to_thread(_end, node) for node in self.nodes))
        for link in self.links.values():
            for proxy in link.proxies:
                await proxy.close()


def _listener_name(client: str) -> str:
    return client.upper().replace("-", "")


def _end(node: Broker) -> None:
    node.kill()
    node.stop()


def _becomes_whole(admin: AdminClient) -> bool:
    with suppress(TimeoutError):
        wait_until(lambda: _is_whole(admin), "each partition has all its copies", WHOLE_MAX_S)
        return True
    return False


def _is_whole(admin: AdminClient) -> bool:
    try:
        topics = admin.list_topics(timeout=METADATA_MAX_S).topics.values()
    except KafkaException:
        return False
    parts = [part for topic in topics for part in topic.partitions.values()]
    return all(part.leader >= 0 and len(part.isrs) == len(part.replicas) for part in parts)

"""From a POST to the topic: one request at a time, acknowledged by Kafka or not sent at all.

A request is never kept in memory for later: if Kafka is not there it is refused at once, and if
the acknowledgement does not come in time the producer is thrown away with all that it holds.
"""

import asyncio
import logging
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import RecordMetadata

from api.errors import KafkaUnreachableError, NotAcknowledgedError, RequestTooLargeError

CONNECT_S = 1.0
ACKNOWLEDGE_S = 5.0
RECONNECT_S = 0.5
RECORD_MAX = 2 * 1024 * 1024  # the topic's own limit decides; this one only must not be below

_log = logging.getLogger(__name__)
_partition_of = DefaultPartitioner()


class Publisher(Protocol):
    """What the routes need of an ingress."""

    async def publish(
        self, account: str, value: bytes, traceparent: bytes | None
    ) -> RecordMetadata:
        """Put the request on the topic and say where it stands."""


class DroppableProducer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types
    """An idempotent producer that can be thrown away while it still holds records.

    aiokafka resends a record of an idempotent producer for ever, and `stop()` waits for that. A
    request whose caller was told "outcome unknown" must not turn up minutes later, so sending is
    broken off. What was on the wire already may still arrive: hence "unknown".
    """

    async def drop(self) -> None:
        """End without delivering what is still held."""
        self._closed = True
        sending = self._sender.sender_task
        while sending is not None and not sending.done():
            sending.cancel()  # it awaits its own sends when cancelled, so they take a second one
            await asyncio.wait({sending}, timeout=0.1)
        await self.client.close()


class Ingress:
    """Keeps one producer connected and puts requests on the topic through it."""

    def __init__(self, topic: str, client_options: dict[str, Any]) -> None:
        """Say where to; nothing is connected before `run`."""
        self._topic = topic
        self._client_options = client_options
        self._producer: DroppableProducer | None = None
        self._is_lost = asyncio.Event()
        self._is_lost.set()

    @property
    def is_connected(self) -> bool:
        """Whether there is a producer that worked when it was last used."""
        return self._producer is not None

    async def run(self) -> None:
        """Connect, and again each time the connection is lost, until cancelled."""
        try:
            while True:
                await self._is_lost.wait()
                self._producer = await self._connect()
                self._is_lost.clear()
        finally:
            if self._producer is not None:
                await self._producer.drop()

    async def publish(
        self, account: str, value: bytes, traceparent: bytes | None
    ) -> RecordMetadata:
        """Put the request on the topic and say where it stands.

        Raises KafkaUnreachableError, NotAcknowledgedError and RequestTooLargeError.
        """
        producer = await self._reachable_producer(account)
        headers = [("channel", b"REST")]
        if traceparent is not None:
            headers.append(("traceparent", traceparent))
        try:
            async with asyncio.timeout(ACKNOWLEDGE_S):
                sent = await producer.send(
                    self._topic, value, key=account.encode(), headers=headers
                )
                return await sent
        except MessageSizeTooLargeError as error:
            raise RequestTooLargeError from error
        except (KafkaError, TimeoutError) as error:
            await self._lose(producer)
            raise NotAcknowledgedError from error

    async def _reachable_producer(self, account: str) -> DroppableProducer:
        """Give the producer after proof that the leader of the account's partition answers."""
        producer = self._producer
        if producer is None:
            raise KafkaUnreachableError
        cluster = producer.client.cluster
        partitions = sorted(cluster.partitions_for_topic(self._topic) or ())
        if partitions:
            partition = _partition_of(account.encode(), partitions, partitions)
            leader = cluster.leader_for_partition(TopicPartition(self._topic, partition))
            if leader not in {None, -1} and await _is_ready(producer, leader):
                return producer
        await self._lose(producer)
        raise KafkaUnreachableError

    async def _lose(self, producer: DroppableProducer) -> None:
        if producer is self._producer:
            _log.warning("Kafka does not answer; requests are refused until it does.")
            self._producer = None
            self._is_lost.set()
            await producer.drop()

    async def _connect(self) -> DroppableProducer:
        while True:
            producer = DroppableProducer(
                **self._client_options,
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=int(ACKNOWLEDGE_S * 1000),
                max_request_size=RECORD_MAX,
            )
            try:
                async with asyncio.timeout(2 * ACKNOWLEDGE_S):
                    await producer.start()
                    await self._find_topic(producer)
            except (KafkaError, TimeoutError, OSError):
                await producer.drop()
                await asyncio.sleep(RECONNECT_S)
            except asyncio.CancelledError:
                await producer.drop()
                raise
            else:
                _log.info("Kafka answers; requests are taken.")
                return producer

    async def _find_topic(self, producer: DroppableProducer) -> None:
        """Learn the topic's partitions, without making a topic that is not there yet."""
        everything = await producer.client.fetch_all_metadata()
        if self._topic not in everything.topics():
            raise UnknownTopicOrPartitionError(self._topic)
        await producer.partitions_for(self._topic)


async def _is_ready(producer: DroppableProducer, node: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT_S):
            return bool(await producer.client.ready(node))
    except TimeoutError:
        return False

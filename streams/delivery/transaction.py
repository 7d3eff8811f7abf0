"""The producer of one unit: whole record batches in, one transaction out.

The only module that knows private names of aiokafka's producer. `tests/kafka` holds each of them to
what is expected here, so that an upgrade tells.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError
from aiokafka.producer import sender as aiokafka_sender
from aiokafka.structs import TopicPartition

from streams.delivery.errors import Fatal
from streams.delivery.protocol import END_REPEATABLE

COMMIT_S = (
    12.0  # longer than a broker's fail-over; then the outcome is unknown and the process ends
)
BATCH_BYTES = 1 << 20


class OutRecord(msgspec.Struct, frozen=True, gc=False):
    """One record to be written."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] | None = None
    timestamp: int | None = None  # ms since 1970 UTC; None: now


class RecordBatches:
    """Records of one partition, encoded as they come: of each only its bytes are kept."""

    def __init__(self, new_builder: Callable[[], Any]) -> None:
        self._new_builder = new_builder
        self.builders: list[Any] = [new_builder()]

    def append(self, record: OutRecord) -> None:
        """Encode one more. Raises Fatal if it is too large for any batch."""
        if not _append(self.builders[-1], record):
            self.builders.append(self._new_builder())
            if not _append(self.builders[-1], record):
                raise Fatal("a record fits no batch")


def _append(builder: Any, record: OutRecord) -> bool:
    """As the builder's own `append`, a third quicker: nothing is added to what was sent.

    Whether there was room.
    """
    place = builder._relative_offset
    appended = builder._builder.append(
        place, record.timestamp, record.key, record.value, record.headers or []
    )
    if appended is None:
        return False
    builder._relative_offset = place + 1
    return True


class Transaction:
    """One transactional id. Its start fences whoever held the id before."""

    def __init__(self, transactional_id: str, options: dict[str, Any]) -> None:
        self.producer = _Producer(
            transactional_id=transactional_id,
            compression_type="snappy",
            max_batch_size=BATCH_BYTES,
            max_request_size=4 << 20,
            transaction_timeout_ms=15000,
            request_timeout_ms=15000,
            retry_backoff_ms=10,
            **options,
        )
        self.sent: list[tuple[TopicPartition, int, asyncio.Future[Any]]] = []

    async def fence(self) -> None:
        """InitProducerId: the former owner's transaction ends, and its next call fails."""
        await self.producer.start()

    async def stop(self) -> None:
        """Say goodbye; may be called twice, and on a fenced one."""
        await self.producer.stop()

    async def warm(self, topics: Iterable[str]) -> None:
        """Metadata and connections beforehand, so that the first transaction is as fast as any."""
        client = self.producer.client
        await asyncio.gather(*(client._wait_on_metadata(topic) for topic in topics))
        await asyncio.gather(*(client.ready(node.nodeId) for node in client.cluster.brokers()))

    async def begin(self, partitions: Iterable[TopicPartition]) -> None:
        """Begin, and add all partitions in one request instead of one by one."""
        self.sent = []
        await self.producer.begin_transaction()
        for partition in partitions:
            self.producer._txn_manager.maybe_add_partition_to_txn(partition)

    def batches(self) -> RecordBatches:
        """What `send` takes, empty."""
        return RecordBatches(self.producer.create_batch)

    async def send(self, partition: TopicPartition, batches: RecordBatches) -> None:
        """Hand whole batches to the sender: one future for each instead of one for each record."""
        for builder in batches.builders:
            builder.close()
            future = await self.producer.send_batch(
                builder, partition.topic, partition=partition.partition
            )
            self.sent.append((partition, builder.record_count(), future))

    async def confirm(self) -> dict[TopicPartition, int]:
        """Wait for each batch: `commit_transaction` succeeds although some failed.

        Answers with the offset after the last record of each partition.
        """
        futures = [future for _, _, future in self.sent]
        places = await asyncio.wait_for(asyncio.gather(*futures), COMMIT_S)
        return {
            partition: place.offset + count
            for (partition, count, _), place in zip(self.sent, places, strict=True)
        }

    async def commit(self) -> None:
        """Commit, or raise: then nobody here knows whether it happened."""
        await asyncio.wait_for(self.producer.commit_transaction(), COMMIT_S)


class _AddPartitionsSoon(aiokafka_sender.AddPartitionsToTxnHandler):
    """Asks again after 1 ms, not 20, while the broker still writes the last commit's markers."""

    def handle_response(self, resp: Any) -> float | None:
        backoff: float | None = super().handle_response(resp)
        return 0.001 if backoff == aiokafka_sender.BACKOFF_OVERRIDE else backoff


class _EndOnce(aiokafka_sender.EndTxnHandler):
    """Repeats EndTxn only when the coordinator said that it did nothing with it.

    The stock handler repeats it after a time-out or a lost connection too. The first may then still
    be under way and end the next transaction in its middle, since this version of the protocol does
    not raise the epoch with each transaction (KAFKA-17754).
    """

    async def do(self, node_id: int) -> bool:
        request = self.create_request()
        response = await self._sender.client.send(node_id, request, group=self.group)
        error = kafka_errors.for_code(response.error_code)
        if error is kafka_errors.InvalidProducerEpoch:
            raise kafka_errors.ProducerFenced
        if error is not kafka_errors.NoError and error.__name__ not in END_REPEATABLE:
            raise error
        backoff: float | None = self.handle_response(response)
        if backoff is not None:
            await asyncio.sleep(backoff)
        return backoff is None


class _Sender(aiokafka_sender.Sender):
    async def _do_add_partitions_to_txn(self, tps: Any) -> bool:
        return bool(await _AddPartitionsSoon(self, tps).do(await self._coordinator()))

    async def _do_txn_commit(self, commit_result: Any) -> None:
        await self._message_accumulator.flush_for_commit()
        if self._txn_manager.is_empty_transaction():
            self._txn_manager.complete_transaction()
        else:
            await _EndOnce(self, commit_result).do(await self._coordinator())

    async def _coordinator(self) -> int:
        transactional_id = self._txn_manager.transactional_id
        return int(await self._find_coordinator(CoordinationType.TRANSACTION, transactional_id))


class _Producer(AIOKafkaProducer):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        stock: Any = self._sender
        self._sender: Any = _Sender(
            stock.client,
            acks=stock._acks,
            txn_manager=stock._txn_manager,
            message_accumulator=stock._message_accumulator,
            retry_backoff_ms=stock._retry_backoff * 1000,
            request_timeout_ms=stock._request_timeout_ms,
        )


STOP_ERRORS = (KafkaError, OSError, asyncio.TimeoutError)  # of a goodbye that nobody waits for

"""An engine that applies whatever it is asked, once: enough to answer REST over a real Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.connection import KafkaConnection
from schemas.headers import MESSAGE_CODE, REQUEST_ID, SEQ
from tests.api.builders import a_refusal, a_result
from tests.api.images import image_of

PARTITIONS = 3
REQUESTS, RESULTS = "adjustment-requests", "adjustment-results"
TRANSACTIONS = "business-transactions"


class LittleEngine:
    """Answers each request record with one result, in a transaction with what it changed."""

    def __init__(
        self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, seq: dict[int, int]
    ) -> None:
        self.may_run = asyncio.Event()
        self.may_run.set()
        self._consumer, self._producer, self._seq = consumer, producer, seq
        self._first: dict[tuple[bytes, str], tuple[bytes, bytes]] = {}

    async def run(self) -> None:
        """Answer until cancelled."""
        async for record in self._consumer:
            await self.may_run.wait()
            request = json.loads(record.value)
            value, mark = self._decide(record, request)
            source = f"{record.topic}-{record.partition}-{record.offset}"
            headers = {REQUEST_ID: request["requestId"], "source": source} | mark
            headers["state-seq"] = str(self._seq[record.partition])
            async with self._producer.transaction():
                if not mark:
                    await self._publish_changes(record, request)
                await self._send(RESULTS, record, value, headers)

    async def _publish_changes(self, record: Any, request: dict[str, Any]) -> None:
        owner = {"account": {"refId": record.key.decode()}}
        event, request_id = request["chargeableEventRefId"], request["requestId"]
        changed = (
            ("chargeableEvent", image_of("chargeable-event", refId=event, **owner)),
            (
                "adjustment",
                image_of("adjustment", requestId=request_id, chargeableEventRefId=event, **owner),
            ),
        )
        for code, image in changed:
            self._seq[record.partition] += 1
            seq = str(self._seq[record.partition])
            headers = {MESSAGE_CODE: code, REQUEST_ID: request_id, SEQ: seq}
            await self._send(TRANSACTIONS, record, image, headers)

    async def _send(self, topic: str, record: Any, value: bytes, headers: dict[str, str]) -> None:
        named = [(name, text.encode()) for name, text in headers.items()]
        await self._producer.send_and_wait(
            topic, value, key=record.key, partition=record.partition, headers=named
        )

    def _decide(self, record: Any, request: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        named = {
            "requestId": request["requestId"],
            "account": {"refId": record.key.decode()},
            "chargeableEventRefId": request["chargeableEventRefId"],
        }
        place = (record.key, request["requestId"])
        if place not in self._first:
            self._first[place] = (record.value, a_result(**named))
            return self._first[place][1], {}
        asked, value = self._first[place]
        if asked == record.value:
            return value, {"replay": "true"}
        return a_refusal("REQUEST_ID_REUSED", **named), {"remembered": "false"}


@asynccontextmanager
async def little_engine(kafka: KafkaConnection) -> AsyncIterator[LittleEngine]:
    """Run an engine on all partitions, from the ends they have now."""
    consumer = AIOKafkaConsumer(**kafka.client_options(), auto_offset_reset="latest")
    producer = AIOKafkaProducer(**kafka.client_options(), transactional_id="little-engine")
    await consumer.start()
    await producer.start()
    consumer.assign([TopicPartition(REQUESTS, number) for number in range(PARTITIONS)])
    await consumer.seek_to_end()
    transactions = [TopicPartition(TRANSACTIONS, number) for number in range(PARTITIONS)]
    ends = await consumer.end_offsets(transactions)
    engine = LittleEngine(consumer, producer, {at.partition: end for at, end in ends.items()})
    running = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        running.cancel()
        await asyncio.wait({running})
        await producer.stop()
        await consumer.stop()

"""What the logs of the cluster hold: their ends, their ids, their newest progress row."""

from collections.abc import AsyncIterator, Iterable
from io import BytesIO
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)
from aiokafka.structs import TopicPartition

from streams.delivery.errors import Fatal
from streams.delivery.plan import Plan
from streams.delivery.protocol import Ends, Progress, Span

TAIL = 64  # records of the progress changelog that the first look backwards covers
FETCH_BYTES = 4 << 20
READ_MAX = 20_000  # records of one read
NO_ID = "0" * 32


class Logs:
    """Questions to the cluster that the whole worker shares."""

    def __init__(self, plan: Plan, options: dict[str, Any]) -> None:
        self.plan = plan
        self.options = options
        self.probe = AIOKafkaConsumer(isolation_level="read_uncommitted", **options)
        self.cluster = ""
        self.topics: dict[str, str] = {}

    async def start(self) -> None:
        """Learn the cluster's id."""
        admin = AIOKafkaAdminClient(**self.options)
        await admin.start()
        try:
            self.cluster = str((await admin.describe_cluster())["cluster_id"])
        finally:
            await admin.close()
        await self.probe.start()
        await self._know_topics(self.probe)

    async def stop(self) -> None:
        """Close the connections."""
        await self.probe.stop()

    async def learn_topics(self) -> None:
        """The ids of inputs and changelogs, anew at each take-over."""
        names = [*self.plan.inputs, *self.plan.changelogs]
        self.topics = await topic_ids(self.probe._client, names)

    async def reader(self, topics: Iterable[str], number: int) -> AIOKafkaConsumer:
        """A client that reads what was committed to one partition of these; the caller stops it."""
        consumer = AIOKafkaConsumer(
            isolation_level="read_committed",
            auto_offset_reset="none",
            check_crcs=False,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=20,
            **self.options,
        )
        try:
            await consumer.start()
            consumer.assign([TopicPartition(topic, number) for topic in topics])
            await self._know_topics(consumer)
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    async def has_output(self, ends: Ends, number: int) -> bool:
        """Whether an output holds a committed record; an aborted first transaction leaves none."""
        spans = {TopicPartition(topic, number): span for topic, span in ends.outputs.items()}
        consumer = await self.reader(ends.outputs, number)
        try:
            start = {tp: span.begin for tp, span in spans.items()}
            async for _ in read(consumer, start, {tp: span.stable for tp, span in spans.items()}):
                return True
            return False
        finally:
            await consumer.stop()

    async def _know_topics(self, consumer: AIOKafkaConsumer) -> None:
        """All metadata in one request; otherwise each unknown topic costs a back-off of 100 ms."""
        await consumer._client.set_topics(self._topics)

    @property
    def _topics(self) -> list[str]:
        return [*self.plan.inputs, *self.plan.outputs, *self.plan.changelogs]

    async def ends(self, reader: AIOKafkaConsumer, number: int) -> Ends:
        """All logs of one partition number. `stable` is read first: it may only look too small."""
        partitions = [TopicPartition(topic, number) for topic in self._topics]
        begin = await reader.beginning_offsets(partitions)
        stable = await reader.end_offsets(partitions)
        end = await self.probe.end_offsets(partitions)
        spans = {tp.topic: Span(begin[tp], stable[tp], end[tp]) for tp in partitions}
        return Ends(
            inputs={topic: spans[topic] for topic in self.plan.inputs},
            outputs={topic: spans[topic] for topic in self.plan.outputs},
            changelogs={topic: spans[topic] for topic in self.plan.changelogs},
            cluster=self.cluster,
            topics=self.topics,
        )


async def newest_progress(
    reader: AIOKafkaConsumer, tp: TopicPartition, span: Span
) -> Progress | None:
    """The last row of the progress changelog, looked for backwards: aborted ones may follow it."""
    reach = TAIL
    while True:
        start, found = max(span.begin, span.end - reach), None
        async for records in read(reader, {tp: start}, {tp: span.end}):
            found = records[-1]
        if found or start == span.begin:
            return msgspec.json.decode(found.value, type=Progress) if found else None
        reach *= 16


async def read(
    reader: AIOKafkaConsumer, start: dict[TopicPartition, int], end: dict[TopicPartition, int]
) -> AsyncIterator[list[Any]]:
    """Lists of records of one partition each, until every position is at its end.

    Positions, not records: the tail of a log may be markers or aborted records.
    """
    rest = {tp for tp, offset in start.items() if offset < end[tp]}
    for tp, offset in start.items():
        (reader.resume if tp in rest else reader.pause)(tp)
        reader.seek(tp, offset)
    while rest:
        fetched = await reader.getmany(*rest, timeout_ms=200, max_records=READ_MAX)
        for tp, records in fetched.items():
            inside = [record for record in records if record.offset < end[tp]]
            if inside:
                yield inside
        rest = {tp for tp in rest if await reader.position(tp) < end[tp]}


class _Uuid(AbstractType[str]):
    @classmethod
    def encode(cls, value: str) -> bytes:
        return bytes.fromhex(value)

    @classmethod
    def decode(cls, data: BytesIO) -> str:
        return data.read(16).hex()


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition_index", Int32),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("replica_nodes", CompactArray(Int32)),
                        ("isr_nodes", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("topic_authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest(RequestStruct):
    """Version 12 of Metadata; aiokafka's own versions end before topic ids."""

    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )

    def prepare(self, _versions: Any) -> "_MetadataRequest":
        return self


async def topic_ids(client: Any, names: list[str]) -> dict[str, str]:
    """The cluster's id of each topic, in hexadecimal; another one when it is created again."""
    topics: list[Any] = [(NO_ID, name, {}) for name in names]
    request = _MetadataRequest(topics, False, False, {})  # noqa: FBT003 - fields by position
    response = await client.send(client.get_random_node(), request)
    ids = {}
    for code, name, topic_id, *_ in response.topics:
        if code or topic_id == NO_ID:  # a broker that is behind; the next start asks again
            raise Fatal(f"{name}: the cluster gives no id of it, error {code}")
        ids[name] = topic_id
    return ids

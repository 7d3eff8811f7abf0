"""What the delivery relies on in aiokafka and Faust: an upgrade that changes it fails here."""

import asyncio
import inspect
import os
from types import SimpleNamespace

import faust
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer import fetcher
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer import sender
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c_py
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka as driver

from schemas.header_names import _Records
from streams.delivery.logs import topic_ids
from streams.delivery.transaction import OutRecord, RecordBatches, Transaction
from tools.kafka.broker import Broker


async def make_topic(kafka: Broker, name: str, **configs: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=configs)])
    await admin.close()
    consumer = AIOKafkaConsumer(name, bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    await consumer.end_offsets(list(consumer.assignment()))
    await consumer.stop()


def test_the_versions_are_those_that_were_read() -> None:
    assert faust.__version__.startswith("0.15.3")


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (sender.Sender, ["_do_add_partitions_to_txn", "_do_txn_commit", "_find_coordinator"]),
        (sender.AddPartitionsToTxnHandler, ["handle_response", "create_request"]),
        (sender.EndTxnHandler, ["handle_response", "create_request", "do"]),
        (driver.Consumer, ["_new_consumer_thread", "perform_seek", "_commit", "_new_offset"]),
        (driver.Consumer, ["_drain_messages", "wait_first"]),
        (driver.AIOKafkaConsumerThread, ["_create_worker_consumer", "on_partitions_assigned"]),
        (driver.AIOKafkaConsumerThread, ["on_thread_stop", "_ensure_consumer", "call_thread"]),
        (Recovery, ["_build_highwaters", "_build_offsets", "_seek_offsets", "need_recovery"]),
        (Recovery, ["on_recovery_completed", "_set_recovery_started"]),
        (TableManager, ["on_rebalance_start", "on_partitions_revoked", "on_rebalance"]),
    ],
)
def test_a_hook_that_we_override_is_still_there(owner: type, names: list[str]) -> None:
    assert [name for name in names if not callable(getattr(owner, name, None))] == []


def test_the_pause_after_a_commit_is_still_the_one_that_we_cut_short() -> None:
    assert sender.BACKOFF_OVERRIDE == 0.02
    assert "BACKOFF_OVERRIDE" in inspect.getsource(sender.AddPartitionsToTxnHandler)


def test_the_stock_end_of_a_transaction_is_still_repeated_after_a_time_out() -> None:
    source = inspect.getsource(sender.BaseHandler.do)
    assert "RequestTimedOutError" in source
    assert "return False" in source


async def test_a_commit_still_succeeds_although_a_record_failed(kafka: Broker) -> None:
    await make_topic(kafka, "small-records", **{"max.message.bytes": "1000"})
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id="stock")
    await producer.start()
    await producer.begin_transaction()
    future = await producer.send("small-records", b"x" * 5000)
    await producer.commit_transaction()
    with pytest.raises(MessageSizeTooLargeError):
        await future
    await producer.stop()


def test_records_stand_in_batches_as_aiokafka_puts_them_there_itself() -> None:
    headers = [("seq", b"1"), ("n\u00e9", b"")]
    records = [
        record
        for number in range(20)
        for record in (
            OutRecord(b"key", b"x" * number, headers, 1_763_000_000_000 + number),
            OutRecord(None, b"value", None, 0),
            OutRecord(b"key", None, [], 1),
        )
    ]

    def new_builder() -> BatchBuilder:
        return BatchBuilder(500, 2, is_transactional=1)

    ours, theirs = RecordBatches(new_builder), [new_builder()]
    for record in records:
        ours.append(record)
        fields = msgspec.structs.asdict(record) | {"headers": record.headers or []}
        if theirs[-1].append(**fields) is None:
            theirs.append(new_builder())
            theirs[-1].append(**fields)

    built = [
        [(each.record_count(), bytes(each._build())) for each in builders]
        for builders in (ours.builders, theirs)
    ]
    assert built[0] == built[1]
    assert len(theirs) > 2


async def send(transaction: Transaction, partition: sender.TopicPartition, value: bytes) -> None:
    batches = transaction.batches()
    batches.append(OutRecord(b"key", value))
    await transaction.send(partition, batches)


async def test_our_transaction_does_not_commit_when_a_record_failed(kafka: Broker) -> None:
    await make_topic(kafka, "small-records-2", **{"max.message.bytes": "1000"})
    transaction = Transaction("ours", {"bootstrap_servers": kafka.bootstrap})
    await transaction.fence()
    partition = sender.TopicPartition("small-records-2", 0)
    await transaction.begin([partition])
    await send(transaction, partition, os.urandom(5000))  # no compression makes it fit
    with pytest.raises(MessageSizeTooLargeError):
        await transaction.confirm()
    await transaction.stop()


async def test_a_second_holder_of_a_transactional_id_fences_the_first(kafka: Broker) -> None:
    await make_topic(kafka, "fenced")
    partition = sender.TopicPartition("fenced", 0)
    first = Transaction("one-id", {"bootstrap_servers": kafka.bootstrap})
    await first.fence()
    await first.begin([partition])
    await send(first, partition, b"lost")
    await first.confirm()
    second = Transaction("one-id", {"bootstrap_servers": kafka.bootstrap})
    await second.fence()
    with pytest.raises(Exception, match=r"ProducerFenced|InvalidProducerEpoch|newer"):
        await first.commit()
    await asyncio.gather(first.stop(), second.stop(), return_exceptions=True)


async def test_a_topic_created_again_has_another_id(kafka: Broker) -> None:
    await make_topic(kafka, "again")
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    first = await topic_ids(consumer._client, ["again"])
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.delete_topics(["again"])
    await admin.close()
    await make_topic(kafka, "again")
    second = await topic_ids(consumer._client, ["again"])
    assert len(first["again"]) == len(second["again"]) == 32
    assert first != second
    await consumer.stop()


async def test_a_header_name_that_is_no_text_stops_no_reader(
    kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_topic(kafka, "odd-headers")
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    builder = producer.create_batch()
    headers = [("n\u00e9", b"x")]
    builder.append(key=b"key", value=b"value", timestamp=None, headers=headers)
    builder.close()
    batch = builder._builder.build().replace("n\u00e9".encode(), b"n\xff\xfe")
    batch[17:21] = calc_crc32c_py(bytes(batch[21:])).to_bytes(4, "big")
    builder._builder = SimpleNamespace(build=lambda: batch)
    await (await producer.send_batch(builder, "odd-headers", partition=0))
    await producer.stop()
    monkeypatch.setattr(fetcher, "MemoryRecords", _Records)
    consumer = AIOKafkaConsumer(
        "odd-headers", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 10)
    await consumer.stop()
    assert (record.key, record.value, record.headers) == (b"key", b"value", ())

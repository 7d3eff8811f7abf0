"""Ready means ready, and a secured Kafka lets in who brings what it asks for, and no other."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.connection import KafkaConnection
from tests.conftest import SecuredKafka
from tools.kafka.broker import Broker, start_nodes


async def test_the_first_transaction_on_a_ready_kafka_is_read_back(kafka: Broker) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka.bootstrap)

    assert await sent_and_read(connection.client_options(), "ready") == [b"kept"]


async def test_a_transaction_goes_over_tls_and_scram(secure_kafka: SecuredKafka) -> None:
    options = secure_kafka.connection.client_options()

    assert await sent_and_read(options, "secured") == [b"kept"]


async def test_a_wrong_password_is_not_let_in(secure_kafka: SecuredKafka) -> None:
    options = secure_kafka.connection.client_options() | {"sasl_plain_password": "guessed"}

    with pytest.raises(KafkaError):
        await sent_and_read(options, "refused")


async def test_a_client_without_tls_is_not_let_in(secure_kafka: SecuredKafka) -> None:
    options = {"bootstrap_servers": secure_kafka.broker.bootstrap, "request_timeout_ms": 2000}

    with pytest.raises(KafkaConnectionError):
        await sent_and_read(options, "refused")


# aiokafka may leave a connection open that it makes while the node at its other end stops.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <(function _Selector|socket):"
    "pytest.PytestUnraisableExceptionWarning"
)
async def test_two_of_three_nodes_go_on_when_one_ends(tmp_path: Path) -> None:
    nodes = await start_nodes(tmp_path, 3)
    try:
        options = {"bootstrap_servers": ",".join(node.bootstrap for node in nodes)}
        await make_topic(options, "copied", copies=3)
        nodes[0].stop()

        assert await sent_and_read(options, "copied") == [b"kept"]
    finally:
        for node in nodes:
            node.stop()


async def sent_and_read(options: dict[str, Any], topic: str) -> list[bytes | None]:
    """Send in one transaction that is committed, then in one that is not; read what is there."""
    await make_topic(options, topic)
    producer = AIOKafkaProducer(**options, transactional_id=topic)
    try:
        await producer.start()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"kept")
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"taken back")
        await producer.abort_transaction()
    finally:
        await producer.stop()
    return await read_all(options, topic)


async def make_topic(options: dict[str, Any], topic: str, copies: int = 1) -> None:
    """Return when its partition has a leader that answers, also if it was there before."""
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        await admin.create_topics([NewTopic(topic, 1, copies)])
    finally:
        await admin.close()
    await read_all(options, topic)


async def read_all(options: dict[str, Any], topic: str) -> list[bytes | None]:
    """Give the committed values of the topic's one partition, from its start to its end."""
    partition = TopicPartition(topic, 0)
    values: list[bytes | None] = []
    consumer = AIOKafkaConsumer(**options, isolation_level="read_committed")
    try:
        await consumer.start()
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        while await consumer.position(partition) < end:
            fetched = await consumer.getmany(timeout_ms=1000)
            values += [record.value for records in fetched.values() for record in records]
    finally:
        await consumer.stop()
    return values

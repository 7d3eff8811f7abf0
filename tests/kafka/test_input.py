"""Anything at all on the input topics: each record ends as a result, a dead letter, or sent on."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.kafka.conftest import Engine
from tools.load import Outgoing, Population, send_all
from tools.verify.log import Log, Record
from tools.waiting import wait_until
from tools.workers import WorkerProcess

ACCOUNT = "ACC-0000001"


@pytest.fixture(scope="module", autouse=True)
def worker(engine: Engine) -> Iterator[WorkerProcess]:
    """One worker for all tests of this file; it must outlive them."""
    with engine.worker("input") as worker:
        yield worker.wait_ready()
        assert worker.stop() == 0


def request(**changed: Any) -> dict[str, Any]:
    made = {
        "requestId": str(uuid.uuid4()),
        "user": "crm:jane",
        "chargeableEventRefId": "CE-0000001-001",
        "chargeType": "CREDIT",
        "chargeAdjustment": 1000,
        "currency": "EUR",
        "taxIncluded": True,
    }
    return {name: value for name, value in (made | changed).items() if value is not None}


def deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


DEAD = {
    b"": "NOT_JSON",
    b"\xff\xfe": "NOT_JSON",
    b"{": "NOT_JSON",
    b"nonsense": "NOT_JSON",
    b'{"requestId": NaN}': "NOT_JSON",
    b'{"requestId": "\\ud800"}': "NOT_JSON",
    b'{"requestId": "a", "requestId": "b"}': "NOT_JSON",
    b"[]": "NOT_AN_OBJECT",
    b"null": "NOT_AN_OBJECT",
    b"17": "NOT_AN_OBJECT",
    b"{}": "NO_REQUEST_ID",
    b'{"requestId": ""}': "NO_REQUEST_ID",
    b'{"requestId": 7}': "NO_REQUEST_ID",
    deep(100_000): "NOT_AN_OBJECT",
}


def records(engine: Engine, topic: str) -> list[Record]:
    return list(Log(engine.options, [topic]).records())


def produce(engine: Engine, topic: str, key: bytes | None, value: bytes | None) -> None:
    producer = Producer({**engine.options, "partitioner": "murmur2_random"})
    producer.produce(topic, value, key)
    assert producer.flush(30) == 0


def test_what_is_no_request_is_a_dead_letter_and_its_neighbours_are_decided(
    engine: Engine,
) -> None:
    before = Counter(
        record.headers["dlq-code"] for record in records(engine, "dlq-adjustment-requests")
    )
    for value in DEAD:
        produce(engine, "adjustment-requests", ACCOUNT.encode(), value)
        engine.send_requests(1)
    produce(engine, "adjustment-requests", ACCOUNT.encode(), None)
    produce(engine, "adjustment-requests", None, json.dumps(request()).encode())
    produce(engine, "adjustment-requests", b"\xff", json.dumps(request()).encode())
    other = json.dumps(request(account={"refId": "ACC-0000002"})).encode()
    produce(engine, "adjustment-requests", ACCOUNT.encode(), other)
    engine.check()
    after = Counter(
        record.headers["dlq-code"] for record in records(engine, "dlq-adjustment-requests")
    )
    wanted = Counter(DEAD.values()) + Counter(["NO_VALUE", "NO_KEY", "INVALID_KEY", "KEY_MISMATCH"])
    assert after - before == wanted


def test_a_malformed_request_is_answered_with_all_its_faults(engine: Engine) -> None:
    bad = request(chargeAdjustment="1000", currency="euro", chargeType="GIFT", unheard="of")
    produce(engine, "adjustment-requests", ACCOUNT.encode(), json.dumps(bad).encode())
    engine.check()
    (result,) = [
        record
        for record in records(engine, "adjustment-results")
        if record.headers["requestId"] == bad["requestId"]
    ]
    assert result.headers["remembered"] == "false"
    faults = json.loads(result.value or b"")["errors"]
    assert [(fault["code"], fault["field"]) for fault in faults] == [
        ("INVALID_TYPE", "chargeAdjustment"),
        ("INVALID_FORMAT", "currency"),
        ("INVALID_ENUM", "chargeType"),
        ("UNKNOWN_ATTRIBUTE", "unheard"),
    ]


@pytest.mark.parametrize("topic", ["accounts", "chargeable-events"])
def test_an_upsert_that_cannot_be_taken_is_a_dead_letter(engine: Engine, topic: str) -> None:
    before = len(records(engine, f"dlq-{topic}"))
    values = [b"", b"{", b"[]", b"{}", deep(100_000), b'{"refId": 7}', None]
    for value in values:
        produce(engine, topic, ACCOUNT.encode(), value)
    dead = before + len(values)
    wait_until(lambda: len(records(engine, f"dlq-{topic}")) == dead, "all are dead letters")
    engine.send_requests(20)
    engine.check()


def test_requests_of_a_producer_with_another_partitioner_get_one_result_each(
    engine: Engine,
) -> None:
    producer = Producer(engine.options)  # CRC32, librdkafka's default
    sent = list(engine.population.request_records(200, user="crc32"))
    for outgoing in sent:
        producer.produce(outgoing.topic, outgoing.value, outgoing.account)
    assert producer.flush(30) == 0
    engine.acknowledged += [(outgoing.account, outgoing.request_id) for outgoing in sent]
    findings = engine.findings()
    assert findings.lines == []
    assert findings.totals["sent on"] > 100


def test_a_record_found_in_a_wrong_partition_again_is_a_dead_letter(engine: Engine) -> None:
    value = json.dumps(request()).encode()
    producer = Producer(engine.options)
    for partition in range(12):
        headers: dict[str, str | bytes | None] = {"found-at": b"adjustment-requests-0-0"}
        producer.produce("adjustment-requests", value, ACCOUNT, partition, headers=headers)
    assert producer.flush(30) == 0
    assert engine.findings().lines == []
    dead = records(engine, "dlq-adjustment-requests")
    assert sum(record.headers["dlq-code"] == "WRONG_PARTITION" for record in dead) == 11


def test_a_repeat_answers_byte_for_byte_and_other_content_under_its_id_is_refused(
    engine: Engine,
) -> None:
    asked = request()
    for value in (asked, asked, asked | {"comment": "other"}, asked):
        produce(engine, "adjustment-requests", ACCOUNT.encode(), json.dumps(value).encode())
    engine.check()
    first, second, reused, third = [
        record
        for record in records(engine, "adjustment-results")
        if record.headers["requestId"] == asked["requestId"]
    ]
    assert first.value == second.value == third.value
    assert (second.headers["replay"], third.headers["replay"]) == ("true", "true")
    assert json.loads(reused.value or b"")["errors"][0]["code"] == "REQUEST_ID_REUSED"
    assert reused.headers["remembered"] == "false"


def test_an_adjustment_is_made_over_a_kafka_that_asks_for_tls_and_a_password(
    secure_engine: Engine,
) -> None:
    engine, options = secure_engine, secure_engine.options
    one = Population(accounts=1, events_per_account=1)
    upserts: list[Outgoing] = [*one.account_records(), *one.event_records()]
    send_all(options, upserts)
    with engine.worker("secure") as secured:
        secured.wait_ready()
        engine.acknowledged += send_all(options, one.request_records(5))
        engine.check()
        assert secured.stop() == 0

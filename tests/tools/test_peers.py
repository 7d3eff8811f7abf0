"""The peers decide as the engine does; Kafka Streams writes the same records, byte for byte."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.connection import KafkaConnection
from schemas.topics import CATALOGUE, TopicSettings
from streams.app import build_plan
from streams.delivery.work import Work
from streams.handlers import handle_account, handle_chargeable_event, handle_request
from streams.topics import make_topics as make_own_topics
from tests.conftest import running
from tools.audit.population import Population
from tools.audit.requests import Requests
from tools.bench.drain import Meter
from tools.bench.peers.deciding import handle
from tools.bench.peers.field import READY, WRITTEN, make_topics
from tools.bench.peers.kinds import KafkaStreams, kafka_streams
from tools.bench.peers.maven import PeerUnavailableError, find_tools
from tools.bench.processes import Part
from tools.kafka.broker import Broker
from tools.load import Outgoing, send_all
from tools.verify.log import Log
from tools.verify.topics import ACCOUNTS, EVENTS, INPUTS, REQUESTS, RESULTS
from tools.verify.undecided import wait_decided
from tools.waiting import LIMIT_S, wait_until
from tools.workers import WorkerProcess

PARTITIONS, COUNT, AT_MS = 4, 3_000, 1_793_870_000_123
HANDLERS = {
    ACCOUNTS: handle_account,
    EVENTS: handle_chargeable_event,
    REQUESTS: handle_request,
}
UNREADABLE = (b"[1, 2]", b'"text"', b"7", b"null", b"true", b"{}", b'{"requestId": ""}')
SPOILT_JSON = b'{"requestId": "a", "requestId": "b"}'


class Both:
    """The engine and the peer on one Kafka."""

    def __init__(self, broker: Broker, peer: KafkaStreams, part: Part) -> None:
        self.options = {"bootstrap.servers": broker.bootstrap}
        self.peer, self.part = peer, part
        self._meter = Meter(self.options, broker.java())

    def decide(self, records: Sequence[Outgoing]) -> None:
        """Send these, and wait until both are through with them."""
        send_all(self.options, records)
        assert wait_decided(self.options, LIMIT_S) == 0
        wait_until(self._is_peer_through, "Kafka Streams is through")

    def _is_peer_through(self) -> bool:
        assert not self.part.has_ended_well
        return self._meter.is_through(self.peer.group, INPUTS)

    def written(self, prefix: str = "") -> list[tuple[Any, ...]]:
        """All outputs, each partition in its order, with all that a record has."""
        log = Log(self.options, [prefix + topic for topic in WRITTEN])
        found = [
            (topic, record.key, record.value, [*record.headers.items()], record.timestamp_ms)
            for topic in WRITTEN
            for number in range(PARTITIONS)
            for record in log.part(prefix + topic, number)
        ]
        log.close()
        return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("peers")
    try:
        peer = kafka_streams()
    except PeerUnavailableError as lacking:
        pytest.skip(str(lacking))
    with running(Broker(folder / "kafka")) as broker:
        connection = KafkaConnection(bootstrap_servers=broker.bootstrap)
        asyncio.run(make_own_topics(connection, TopicSettings(partitions=PARTITIONS)))
        written = [topic for topic in CATALOGUE if topic.name in WRITTEN]
        make_topics({"bootstrap.servers": broker.bootstrap}, peer.prefix, written, PARTITIONS)
        settings = {"ADJUST_BOOTSTRAP_SERVERS": broker.bootstrap}
        with (
            WorkerProcess(folder / "engine", settings) as worker,
            peer.start(broker.bootstrap, folder / "peer", PARTITIONS, "none") as part,
        ):
            worker.wait_ready()
            part.wait_for(READY)
            yield Both(broker, peer, part)


def test_kafka_streams_writes_the_same_bytes_for_requests_of_every_sort(both: Both) -> None:
    population = Population("PEER", tens=3)
    upserts, drawn = list(population.upserts()), list(Requests(population, 7).records(COUNT))
    asked = [record for record in drawn if record.topic == REQUESTS]
    changes = [record for record in drawn if record.topic != REQUESTS]
    unreadable = [Outgoing(REQUESTS, asked[0].account, value) for value in UNREADABLE]
    headers = [Outgoing(REQUESTS, asked[0].account, SPOILT_JSON)]
    # Between topics the order is theirs: each topic by itself.
    for records in (
        [record for record in upserts if record.topic == ACCOUNTS],
        [record for record in upserts if record.topic == EVENTS],
        asked[: COUNT // 2],
        [record for record in changes if record.topic == ACCOUNTS],
        [record for record in changes if record.topic == EVENTS],
        [*unreadable, *headers, *asked[COUNT // 2 :]],
    ):
        both.decide(records)

    engine, peer = both.written(), both.written(both.peer.prefix)

    assert len(engine) > COUNT
    for one, other in zip(engine, peer, strict=True):
        assert one == other


def test_what_kafka_streams_leaves_when_it_is_killed_is_in_its_own_folder(both: Both) -> None:
    assert [*both.part.log.parent.glob("librocksdbjni*")], "unpacked by its store, for itself"


class MemoryRows:
    """The rows that a peer keeps, of all accounts."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], bytes] = {}
        self.account = ""

    def get(self, table: str, key: str) -> bytes | None:
        return self.rows.get((self.account, table, key))

    def put(self, table: str, key: str, row: bytes) -> None:
        self.rows[self.account, table, key] = row


class NoRows:
    """A store that was never written."""

    def get(self, _table: bytes, _key: bytes) -> None:
        return None


def test_without_maven_and_a_jdk_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(PeerUnavailableError) as lacking:
        find_tools()

    assert str(lacking.value) == (
        "Kafka Streams is left out: install Maven (mvn) and a JDK (javac) of version 17 or newer"
        " to build it."
    )


def test_the_python_peers_decide_as_the_engine_does() -> None:
    population, rows = Population("PEER", tens=2), MemoryRows()
    drawn = [*population.upserts(), *Requests(population, 3).records(2_000)]
    work = Work(build_plan(1), NoRows(), 0, {})
    decided: list[tuple[str, bytes]] = []
    for offset, each in enumerate(drawn):
        record = SimpleNamespace(
            topic=each.topic,
            partition=0,
            offset=offset,
            timestamp=AT_MS,
            key=each.account.encode(),
            value=each.value,
            headers=(),
        )
        HANDLERS[each.topic](work, record)
        rows.account = each.account
        decided += handle(rows, each.topic, each.account, each.value, AT_MS)

    for topic in WRITTEN:
        values = [record.value for record in work.out[topic, 0]]
        assert [value for name, value in decided if name == topic] == values, topic
    assert len(work.out[RESULTS, 0]) == 2_000

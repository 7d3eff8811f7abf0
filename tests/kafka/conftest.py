"""One Kafka with the engine's topics and a population, for all tests of this folder."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.connection import KafkaConnection
from schemas.topics import TopicSettings
from streams.topics import make_topics
from tests.conftest import SecuredKafka, running
from tools.forked_worker import ForkedWorker
from tools.kafka.broker import Broker
from tools.load import Population, send_all
from tools.verify.findings import Findings
from tools.verify.memory import Acknowledged
from tools.verify.undecided import wait_decided
from tools.verify.whole import Beside, verify_cluster
from tools.waiting import LIMIT_S


@dataclass
class Engine:
    """The Kafka that workers are started on, and what was acknowledged on it so far."""

    connection: KafkaConnection
    environment: dict[str, str]
    folder: Path
    population: Population = field(default_factory=lambda: Population(40, 5))
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0

    @property
    def options(self) -> dict[str, str]:
        """What a confluent-kafka client is given."""
        return self.connection.confluent_options()

    def worker(
        self, name: str, *point: object, environment: dict[str, str] | None = None
    ) -> ForkedWorker:
        """A worker with a home of that name."""
        return ForkedWorker(self.folder / name, self.environment | (environment or {}), *point)

    def send_requests(self, count: int) -> None:
        """Send requests that no test sent before."""
        self.sent += 1
        records = self.population.request_records(count, user=f"test-{self.sent}")
        self.acknowledged += send_all(self.options, records)

    def findings(self) -> Findings:
        """All that verify finds, once every request is decided."""
        left = wait_decided(self.options, LIMIT_S)
        assert left == 0, f"{left} records are undecided"
        acknowledged = Acknowledged(lambda: self.acknowledged)
        return verify_cluster(self.options, Beside(acknowledged=acknowledged))

    def check(self) -> None:
        """Every acknowledged request has its one result, and all agrees."""
        assert self.findings().lines == []


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The one engine of all tests that need none of their own."""
    with running_engine(tmp_path_factory.mktemp("engine")) as made:
        yield made


@contextmanager
def running_engine(folder: Path, population: Population | None = None) -> Iterator[Engine]:
    """Kafka, topics and a population that the engine has taken over."""
    with running(Broker(folder / "kafka")) as broker:
        connection = KafkaConnection(bootstrap_servers=broker.bootstrap)
        asyncio.run(make_topics(connection, TopicSettings()))
        made = Engine(connection, {"ADJUST_BOOTSTRAP_SERVERS": broker.bootstrap}, folder)
        made.population = population or made.population
        send_all(made.options, made.population.account_records())
        send_all(made.options, made.population.event_records())
        with made.worker("first") as worker:
            worker.wait_ready()
            made.send_requests(1)
            made.check()
            assert worker.stop() == 0
        yield made


@pytest.fixture(scope="session")
def secure_engine(secure_kafka: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The engine's topics on a Kafka that asks for TLS and a password."""
    asyncio.run(make_topics(secure_kafka.connection, TopicSettings(partitions=4)))
    folder = tmp_path_factory.mktemp("secure-engine")
    return Engine(secure_kafka.connection, secure_kafka.environment, folder)

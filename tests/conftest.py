"""The Kafkas and databases that tests ask for, each started when first asked for."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import settings
from pydantic import SecretStr

from schemas.connection import KafkaConnection
from tests.postgres import SQLITE, PostgresServer
from tests.postgres import running as a_postgres
from tools.kafka.broker import Broker
from tools.kafka.settings import Secured

# Laws are tried on any machine, however busy, and on the same examples each time: what failed once
# fails again.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")


@dataclass(frozen=True)
class SecuredKafka:
    """A running Kafka that asks for TLS and SCRAM, and what lets a client in."""

    broker: Broker
    connection: KafkaConnection

    @property
    def environment(self) -> dict[str, str]:
        """The same connection for a process of its own."""
        password = self.connection.sasl_password
        return {
            "ADJUST_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "ADJUST_SECURITY_PROTOCOL": self.connection.security_protocol,
            "ADJUST_SASL_MECHANISM": self.connection.sasl_mechanism,
            "ADJUST_SASL_USERNAME": self.connection.sasl_username or "",
            "ADJUST_SASL_PASSWORD": password.get_secret_value() if password else "",
            "ADJUST_SSL_CAFILE": self.connection.ssl_cafile or "",
        }


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of a run, started when first asked for."""
    with a_postgres() as server:
        yield server


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: SQLite, unless a test asks for both kinds."""
    if getattr(request, "param", SQLITE) == SQLITE:
        yield f"sqlite:///{tmp_path / 'adjust.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One Kafka for all tests of a run; each test makes topics of its own."""
    with running(Broker(tmp_path_factory.mktemp("kafka"))) as broker:
        yield broker


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One Kafka that lets in a single user, over TLS."""
    folder = tmp_path_factory.mktemp("secure-kafka")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate = folder / "broker.pem"
    certificate.write_bytes(broker_pem(authority))
    secured = Secured(certificate, "adjust", "a secret of the tests")
    with running(Broker(folder / "home", secured=secured)) as broker:
        connection = KafkaConnection(
            bootstrap_servers=broker.bootstrap,
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username=secured.username,
            sasl_password=SecretStr(secured.password),
            ssl_cafile=str(folder / "authority.pem"),
        )
        yield SecuredKafka(broker, connection)


@contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """Keep a broker ready for as long as the block lasts."""
    try:
        broker.start()
        asyncio.run(broker.wait_ready())
        yield broker
    finally:
        broker.stop()


def broker_pem(authority: trustme.CA) -> bytes:
    """Give the key, in the one form that Kafka reads, and the certificate of 127.0.0.1."""
    issued = authority.issue_cert("127.0.0.1")
    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain

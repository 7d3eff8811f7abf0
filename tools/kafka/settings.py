"""The settings of one node: small, on loopback only, quick to start and to come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
SCRAM = "SCRAM-SHA-512"


@dataclass(frozen=True)
class Secured:
    """What clients must bring: trust in the certificate, a user name and its password.

    The PEM file holds the private key (PKCS #8) and after it the certificate.
    """

    certificate: Path
    username: str
    password: str


@dataclass(frozen=True)
class Listener:
    """One more listener; clients are told to come back at the advertised port, a proxy's."""

    name: str
    port: int
    advertised_port: int


@dataclass(frozen=True)
class Node:
    """One node of a cluster; `controllers` has the controller port of every node by its id."""

    number: int
    port: int
    inner_port: int
    controllers: dict[int, int]
    secured: Secured | None = None
    more: Sequence[Listener] = ()


def node_settings(node: Node) -> dict[str, str]:
    """Give the content of server.properties. Paths are relative: Kafka reads it as Latin-1."""
    return {
        **listener_settings(node),
        **copies_settings(len(node.controllers)),
        **SMALL,
        "node.id": str(node.number),
        "log.dirs": "data",
    }


def listener_settings(node: Node) -> dict[str, str]:
    """Three listeners: for clients, among brokers, among controllers; and those asked for."""
    clients, brokers = f"CLIENTS://127.0.0.1:{node.port}", f"BROKERS://127.0.0.1:{node.inner_port}"
    more = [f",{each.name}://127.0.0.1:{each.port}" for each in node.more]
    told = [f",{each.name}://127.0.0.1:{each.advertised_port}" for each in node.more]
    open_ones = [f",{each.name}:PLAINTEXT" for each in node.more]
    voters = (f"{number}@127.0.0.1:{port}" for number, port in node.controllers.items())
    own_controller = node.controllers[node.number]
    protocol = "SASL_SSL" if node.secured else "PLAINTEXT"
    return {
        "process.roles": "broker,controller",
        "controller.quorum.voters": ",".join(voters),
        "listeners": f"{clients},{brokers},CONTROLLER://127.0.0.1:{own_controller}" + "".join(more),
        "advertised.listeners": f"{clients},{brokers}" + "".join(told),
        "listener.security.protocol.map": (
            f"CLIENTS:{protocol},BROKERS:PLAINTEXT,CONTROLLER:PLAINTEXT" + "".join(open_ones)
        ),
        "inter.broker.listener.name": "BROKERS",
        "controller.listener.names": "CONTROLLER",
        **(_security(node.secured) if node.secured else {}),
    }


def copies_settings(nodes: int) -> dict[str, str]:
    """Three copies where there are three nodes, of which two must have what is acknowledged."""
    copies, acknowledging = str(min(3, nodes)), str(min(2, nodes))
    return {
        "default.replication.factor": copies,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "share.coordinator.state.topic.replication.factor": copies,
        "min.insync.replicas": acknowledging,
        "transaction.state.log.min.isr": acknowledging,
        "share.coordinator.state.topic.min.isr": acknowledging,
    }


SMALL = {
    "auto.create.topics.enable": "false",
    "unclean.leader.election.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "transaction.max.timeout.ms": "900000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "2000",
    # A broker that was killed is let in again when its old session ends: 9 s by default.
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "300",
    "log.segment.bytes": str(64 * MIB),
    "offsets.topic.segment.bytes": str(16 * MIB),
    "transaction.state.log.segment.bytes": str(16 * MIB),
    "log.index.size.max.bytes": str(MIB),
    "log.cleaner.dedupe.buffer.size": str(16 * MIB),
    "message.max.bytes": str(4 * MIB),
    "socket.request.max.bytes": str(32 * MIB),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "background.threads": "2",
}


def _security(secured: Secured) -> dict[str, str]:
    listener = "listener.name.clients"
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        f"{listener}.ssl.keystore.type": "PEM",
        f"{listener}.ssl.keystore.location": str(secured.certificate),
        f"{listener}.sasl.enabled.mechanisms": SCRAM,
        f"{listener}.{SCRAM.lower()}.sasl.jaas.config": login,
    }

"""The peers: what each is called, which topics it writes, and how it is started."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from schemas.topics import CATALOGUE
from tools.bench.peers.maven import built, find_tools, java_command
from tools.bench.processes import Part, Program
from tools.verify.topics import INPUTS, OUTPUTS, dead_letters_of

READY = "peer ready"
WRITTEN = (*OUTPUTS, *map(dead_letters_of, INPUTS))


class Peer(Protocol):
    """What is measured beside the engine."""

    name: str
    prefix: str  # of the topics that it writes

    def start(self, bootstrap: str, home: Path, partitions: int, compression: str) -> Part:
        """Start it; it writes `READY` when it serves."""


@dataclass(frozen=True)
class KafkaStreams:
    """Kafka Streams with exactly_once_v2, one thread; reads the engine's own inputs."""

    java: Path
    folder: Path
    name: str = "Kafka Streams"
    prefix: str = "peer-kafka-streams-"

    def start(self, bootstrap: str, home: Path, partitions: int, compression: str) -> Part:
        """Start it on its own local stores."""
        state = str(home / "kafka-streams")
        given = (bootstrap, state, self.prefix, str(partitions), compression)
        command = java_command(self.java, self.folder, *given)
        return Program("kafka-streams", home, command)


def kafka_streams() -> KafkaStreams:
    """Build it first, which takes a minute once. Raises PeerUnavailableError."""
    maven, java = find_tools()
    return KafkaStreams(java, built(maven))


def make_peer_topics(options: dict[str, str], prefix: str, partitions: int) -> None:
    """Create what a peer writes, kept as the engine's own. Raises KafkaException."""
    admin = AdminClient({**options})
    topics = [
        NewTopic(prefix + topic.name, partitions, 1, config=topic.configs())
        for topic in CATALOGUE
        if topic.name in WRITTEN
    ]
    for made in admin.create_topics(topics).values():
        made.result()

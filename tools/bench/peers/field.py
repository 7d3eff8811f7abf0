"""What all who are measured share: one Kafka, its meter, and the records of a round."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from schemas.topics import CATALOGUE, Topic
from tools.bench.drain import Drained, Meter
from tools.bench.figures import Limits
from tools.bench.system import System
from tools.load import Population
from tools.verify.topics import INPUTS, OUTPUTS, dead_letters_of
from tools.waiting import wait_until

READY = "peer ready"
WRITTEN = (*OUTPUTS, *map(dead_letters_of, INPUTS))
LEADERS_MAX_S = 60.0
SLOW_S = 30.0  # for so long a slow peer drains


@dataclass(frozen=True)
class Round:
    """Requests that are there to be drained."""

    number: int
    requests: int
    starts: dict[int, int]  # where they begin, by partition
    warm_up_share: float = 0.0  # of the requests, which are not measured: a JVM compiles first


@dataclass
class Field:
    """One system, and what is on it."""

    system: System
    meter: Meter
    population: Population
    partitions: int = 0
    compression: str = ""

    def make_topics(self, prefix: str, names: Sequence[str]) -> None:
        """Create topics as those of the catalogue, under other names. Raises KafkaException."""
        topics = [topic for topic in CATALOGUE if topic.name in names]
        make_topics(self.system.options, prefix, topics, self.partitions)
        for topic in topics:
            is_led = partial(self.meter.is_led, prefix + topic.name)
            wait_until(is_led, f"{prefix}{topic.name} has leaders", LEADERS_MAX_S)


class Peer(Protocol):
    """Who is measured beside the engine."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    @property
    def limits(self) -> Limits:
        """What is asked of the rate, engine / peer, and of processor time, peer / engine."""

    def load(self, field: Field) -> None:
        """Take over accounts and chargeable events; once, before all rounds."""

    def drain(self, field: Field, given: Round) -> Drained:
        """Start, drain the round's requests and stop."""

    def disagreements(self, field: Field) -> list[str]:
        """Say where its answers are not what they must be."""


def make_topics(
    options: dict[str, str], prefix: str, topics: Sequence[Topic], partitions: int
) -> None:
    """Create them as in the catalogue, each with the prefix before its name."""
    admin = AdminClient({**options})
    new = [NewTopic(prefix + topic.name, partitions, 1, config=topic.configs()) for topic in topics]
    for made in admin.create_topics(new).values():
        made.result()

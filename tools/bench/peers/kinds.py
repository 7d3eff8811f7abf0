"""The peers that read the engine's own inputs: librdkafka and Kafka Streams."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tools.bench.contestant import Contestant
from tools.bench.drain import Drained, Look, drained
from tools.bench.figures import Limits
from tools.bench.passthrough import PEER_RESULTS
from tools.bench.peers.field import READY, WRITTEN, Field, Round
from tools.bench.peers.maven import built, find_tools, java_command
from tools.bench.processes import Part, Program
from tools.verify.log import Log, Record
from tools.verify.topics import INPUTS, RESULTS, TRANSACTIONS


class PassThrough:
    """librdkafka reads a request and writes three records of the engine's; decides nothing."""

    name = "pass-through"
    limits = Limits(0.20, 0.30, 0.45)
    prefix = "peer-"

    def load(self, field: Field) -> None:
        """It keeps no state."""
        field.make_topics(self.prefix, (RESULTS, TRANSACTIONS))

    def drain(self, field: Field, given: Round) -> Drained:
        """Pass the round's requests through."""
        with self._start(field, given) as part:
            ready, last = field.meter.watch(
                PEER_RESULTS,
                part,
                lambda: "peer done" in part.text,
                started=READY,
                warm_up=int(given.requests * given.warm_up_share),
            )
        return drained(ready, last, given.requests)

    def disagreements(self, _field: Field) -> list[str]:
        """It answers nothing."""
        return []

    def _start(self, field: Field, given: Round) -> Part:
        return Part(
            "tools.bench.passthrough",
            field.system.home,
            {},
            *("--bootstrap", field.system.bootstrap),
            *("--count", str(given.requests)),
            *("--compression", field.compression),
            *("--starts", ",".join(f"{each}:{at}" for each, at in given.starts.items())),
        )


@dataclass(frozen=True)
class KafkaStreams:
    """Kafka Streams with exactly_once_v2, one thread; writes what the engine writes."""

    java: Path
    folder: Path
    name = "Kafka Streams"
    limits = Limits(1.0, 1.5, 2.5)
    prefix = "peer-kafka-streams-"
    group = f"{prefix}app"

    def load(self, field: Field) -> None:
        """Take over what the engine took over, which warms nothing: it is stopped afterwards."""
        field.make_topics(self.prefix, WRITTEN)
        with self._start(field) as part:
            self._watch(field, part, TRANSACTIONS)

    def drain(self, field: Field, given: Round) -> Drained:
        """Answer the round's requests."""
        with self._start(field) as part:
            ready, last = self._watch(
                field, part, RESULTS, int(given.requests * given.warm_up_share)
            )
        return drained(ready, last, given.requests)

    def contestant(self, field: Field) -> Contestant:
        """Say how it is started and how far it is."""
        return Contestant(
            name=self.name,
            results=self.prefix + RESULTS,
            ready=READY,
            start=lambda: self._start(field),
            is_through=lambda: field.meter.is_through(self.group, INPUTS),
        )

    def disagreements(self, field: Field) -> list[str]:
        """Compare its results with the engine's, value by value and header by header."""
        own = self.prefix + RESULTS
        log = Log(field.system.options, [RESULTS, own])
        found: list[str] = []
        for number in range(field.partitions):
            pairs = zip_longest(log.part(RESULTS, number), log.part(own, number))
            for place, (engine, peer) in enumerate(pairs):
                if engine is None or peer is None or _written(engine) != _written(peer):
                    found.append(f"{self.name}: result {place} of partition {number} differs.")
                    break
        log.close()
        return found

    def start(self, bootstrap: str, home: Path, partitions: int, compression: str) -> Part:
        """Start it on its own local stores; it writes `READY` when it serves."""
        state = str(home / "kafka-streams")
        given = (bootstrap, state, self.prefix, str(partitions), compression)
        return Program("kafka-streams", home, java_command(self.java, self.folder, home, *given))

    def _start(self, field: Field) -> Part:
        system = field.system
        return self.start(system.bootstrap, system.home, field.partitions, field.compression)

    def _watch(self, field: Field, part: Part, topic: str, warm_up: int = 0) -> tuple[Look, Look]:
        return field.meter.watch(
            self.prefix + topic,
            part,
            lambda: field.meter.is_through(self.group, INPUTS),
            started=READY,
            warm_up=warm_up,
        )


def kafka_streams() -> KafkaStreams:
    """Build it first, which takes a minute once. Raises PeerUnavailableError."""
    maven, java = find_tools()
    return KafkaStreams(java, built(maven))


def _written(record: Record) -> tuple[bytes | None, bytes | None, Mapping[str, str], int]:
    return record.key, record.value, record.headers, record.timestamp_ms

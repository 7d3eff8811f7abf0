"""Measures how fast Finance and the warehouse catch up with a long topic, beside a plain read."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer
from rich.console import Console
from rich.progress import track

from schemas.header_names import accept_any_header_name
from schemas.headers import SEQ
from tools.bench.charges import Charges
from tools.bench.machine import machine_now
from tools.bench.processes import Part
from tools.bench.system import LOOPBACK, System
from tools.kafka.ports import free_ports
from tools.verify.log import murmur2
from tools.verify.stores import compare, open_stores
from tools.verify.topics import TRANSACTIONS
from tools.waiting import wait_until

SUBSCRIBERS = ("finance", "dwh")
CAUGHT_UP_MAX_S = 1800.0
READ_MAX = 5_000
LOOK_S = 0.25  # between two looks, each of which costs the subscriber some work
QUEUED_MAX = 100_000
FILLING = tuple(  # headers that readers pass over, as many and as long as the engine's
    (name, b"x" * size)
    for name, size in (
        *(("ce_id", 34), ("ce_source", 15), ("ce_specversion", 3), ("ce_time", 24)),
        *(("ce_type", 36), ("ce_subject", 14), ("content-type", 16), ("source", 32)),
        *(("X-Ocs-Io-transaction-id", 36), ("X-Ocs-Io-message-payload", 17)),
    )
)


@dataclass(frozen=True)
class CaughtUp:
    """One reading of so many records."""

    what: str
    records: int
    seconds: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Records a second."""
        return self.records / self.seconds


@dataclass(frozen=True)
class Subscribed:
    """All figures: first of accounts and events as rated, then of adjustments of some."""

    charges: Charges
    rated: list[CaughtUp]
    adjusted: list[CaughtUp]
    disagreements: list[str]
    machine: str


def measure_subscribers(system: System, charges: Charges, console: Console) -> Subscribed:
    """Publish, catch up from nothing, publish adjustments, catch up again, compare every row."""
    topic = _Topic(system)
    rated = charges.accounts + charges.events
    topic.publish(track(charges.rated(), "publishing events", rated, console=console))
    first = [
        _read_plainly(system, rated),
        *(_catch_up(system, each, rated) for each in SUBSCRIBERS),
    ]
    adjusted = 2 * charges.adjustments
    shown = track(charges.transactions(), "publishing adjustments", adjusted, console=console)
    topic.publish(shown)
    then = [_catch_up(system, each, adjusted) for each in SUBSCRIBERS]
    machine = machine_now()
    console.print("comparing every row with the topic", style="dim")
    return Subscribed(charges, first, then, _compare(system), machine)


class _Topic:
    """Writes as the engine does, but without transactions: those cost a reader nothing."""

    def __init__(self, system: System) -> None:
        self._producer = Producer(
            {
                **system.options,
                "compression.type": "snappy",
                "queue.buffering.max.messages": QUEUED_MAX,
                "linger.ms": 50,
            }
        )
        known = self._producer.list_topics(TRANSACTIONS, timeout=30).topics
        self._partitions = len(known[TRANSACTIONS].partitions)
        self._seq: Counter[int] = Counter()

    def publish(self, records: Iterable[Any]) -> None:
        for count, record in enumerate(records):
            partition = murmur2(record.key) % self._partitions
            self._seq[partition] += 1
            seq = str(self._seq[partition]).encode()
            own = [each for each in record.headers if each[0] != SEQ]
            headers = [*own, (SEQ, seq), *FILLING]
            self._producer.produce(
                TRANSACTIONS, record.value, record.key, partition, headers=headers
            )
            if count % (QUEUED_MAX // 2) == 0:
                self._producer.flush()
        self._producer.flush()


def _catch_up(system: System, name: str, records: int) -> CaughtUp:
    """Start a subscriber, and stop it when it has read so many; then all of it is kept."""
    (port,) = free_ports(0)
    settings = system.environment | {"ADJUST_METRICS_PORT": str(port)}
    with Part("streams.subscribers", system.home, settings, name) as part:
        part.wait_for(f"adjust {name} reads", CAUGHT_UP_MAX_S)
        began_s, began_cpu_s = time.monotonic(), part.cpu_s
        is_read = partial(_has_read, port, part, records)
        wait_until(is_read, f"{name} caught up", CAUGHT_UP_MAX_S, LOOK_S)
        cpu_s = part.cpu_s - began_cpu_s
        part.stop()
        return CaughtUp(name, records, time.monotonic() - began_s, cpu_s)


def _has_read(port: int, part: Part, records: int) -> bool:
    told = httpx.get(f"http://{LOOPBACK}:{port}/metrics", trust_env=False).text.splitlines()
    counts = (line for line in told if line.startswith("adjust_subscriber_images_total"))
    return part.has_ended_well or sum(float(line.rpartition(" ")[2]) for line in counts) >= records


def _read_plainly(system: System, records: int) -> CaughtUp:
    """Read the same with the same library, and do nothing with it."""
    accept_any_header_name()
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    asyncio.run(_read(system.bootstrap, records))
    cpu_s = time.process_time() - began_cpu_s
    return CaughtUp("plain read", records, time.monotonic() - began_s, cpu_s)


async def _read(bootstrap: str, records: int) -> None:
    consumer = AIOKafkaConsumer(
        TRANSACTIONS,
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        left = records
        while left > 0:
            batches = await consumer.getmany(timeout_ms=1000, max_records=READ_MAX)
            left -= sum(map(len, batches.values()))
    finally:
        await consumer.stop()


def _compare(system: System) -> list[str]:
    stores = open_stores(system.home, None)
    reports = compare(system.options, stores)
    found = [line for report in reports for line in report.disagreements]
    return [*(other.text for other in stores.others), *found]

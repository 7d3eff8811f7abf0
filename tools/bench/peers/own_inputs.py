"""The slow peers: each has inputs of its own, as many requests as it drains in a while."""

import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from tools.bench.drain import Drained, Look, drained
from tools.bench.figures import Limits
from tools.bench.peers.deciding import handle
from tools.bench.peers.field import READY, SLOW_S, WRITTEN, Field, Round
from tools.bench.peers.maven import PeerUnavailableError
from tools.bench.processes import Program
from tools.kafka.jars import cache_folder
from tools.load import Outgoing, Population, send_all
from tools.verify.log import Log
from tools.verify.topics import INPUTS, RESULTS, TRANSACTIONS

ACCOUNTS, EVENTS_PER_ACCOUNT = 500, 4
REQUESTS_MIN = 3_000
ROOT = Path(__file__).resolve().parents[3]
QUIX = ("quixstreams==3.28.1", "msgspec==0.22.0", "pydantic==2.13.5")


class OwnInputs(ABC):
    """A peer that gets fewer accounts, events and requests than the engine, to its advantage."""

    name: str
    limits: Limits
    prefix: str

    def __init__(self) -> None:
        self._population = Population(ACCOUNTS, EVENTS_PER_ACCOUNT)
        self._rate_per_s = 0.0

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it, up to the arguments."""

    def load(self, field: Field) -> None:
        """Take over its accounts and events; how fast that goes says how much it can drain."""
        field.make_topics(self.prefix, (*INPUTS, *WRITTEN))
        self._send(field, self._population.account_records())
        with self._start(field) as part:  # in the order of the topics, which it does not promise
            self._watch(field, part, TRANSACTIONS)
            self._send(field, self._population.event_records())
            begun = time.monotonic()
            _, last = self._watch(field, part, TRANSACTIONS)
        self._rate_per_s = ACCOUNTS * EVENTS_PER_ACCOUNT / (last.at_s - begun)

    def drain(self, field: Field, given: Round) -> Drained:
        """Answer as many requests as it answers in that time, by its last rate."""
        count = min(given.requests, max(REQUESTS_MIN, int(SLOW_S * self._rate_per_s)))
        records = self._population.request_records(count, f"bench:{given.number}")
        self._send(field, records)
        with self._start(field) as part:
            ready, last = self._watch(field, part, RESULTS, int(count * given.warm_up_share))
        run = drained(ready, last, count)
        self._rate_per_s = run.rate_per_s
        return run

    def disagreements(self, field: Field) -> list[str]:
        """Decide all of its requests again, and compare values in their order."""
        inputs, results = [self.prefix + name for name in INPUTS], self.prefix + RESULTS
        log = Log(field.system.options, [*inputs, results])
        found = []
        for number in range(field.partitions):
            rows, expected = _Rows(), []
            for name, topic in zip(INPUTS, inputs, strict=True):
                for record in log.part(topic, number):
                    key, value = (record.key or b"").decode(), record.value or b""
                    outputs = handle(rows.of(key), name, key, value, record.timestamp_ms)
                    expected += [content for topic, content in outputs if topic == RESULTS]
            if [record.value for record in log.part(results, number)] != expected:
                found.append(f"{self.name}: results of partition {number} are not as decided.")
        log.close()
        return found

    def _send(self, field: Field, records: Iterator[Outgoing]) -> None:
        own = (each._replace(topic=self.prefix + each.topic) for each in records)
        send_all(field.system.options, own)

    def _start(self, field: Field) -> Program:
        system, name = field.system, self.prefix.strip("-")
        given = (system.bootstrap, str(system.home / name), self.prefix, str(field.partitions))
        return Program(name, system.home, [*self.command(), *given], PYTHONPATH=str(ROOT))

    def _watch(
        self, field: Field, part: Program, topic: str, warm_up: int = 0
    ) -> tuple[Look, Look]:
        inputs = [self.prefix + name for name in INPUTS]
        return field.meter.watch(
            self.prefix + topic,
            part,
            lambda: field.meter.is_through(f"{self.prefix}app", inputs),
            started=READY,
            warm_up=warm_up,
        )


class Faust(OwnInputs):
    """Faust as its documentation has it; at least once."""

    name = "Faust"
    limits = Limits(20, 30, 50)
    prefix = "peer-faust-"

    def command(self) -> list[str]:
        """Faust is here."""
        return [sys.executable, "-m", "tools.bench.peers.faust_peer"]


class Quix(OwnInputs):
    """Quix Streams, exactly-once."""

    name = "Quix Streams"
    limits = Limits(3, 5, 8)
    prefix = "peer-quix-"

    def __init__(self) -> None:
        """Make its environment, once. Raises PeerUnavailableError."""
        super().__init__()
        self._python = _environment(cache_folder() / "peers" / QUIX[0])

    def command(self) -> list[str]:
        """Its own Python, and this project's code."""
        return [str(self._python), "-m", "tools.bench.peers.quix_peer"]


class _Rows:
    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], bytes] = {}
        self._account = ""

    def of(self, account: str) -> "_Rows":
        self._account = account
        return self

    def get(self, table: str, key: str) -> bytes | None:
        return self._rows.get((self._account, table, key))

    def put(self, table: str, key: str, row: bytes) -> None:
        self._rows[self._account, table, key] = row


def _environment(folder: Path) -> Path:
    """Give the Python of an environment with Quix Streams, whose dependencies contradict ours."""
    python, ready = folder / "bin" / "python", folder / "ready"
    if ready.exists():
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "--disable-pip-version-check", "install", "-q", *QUIX],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).strip()[-1000:]
            message = f"Quix Streams is left out: its environment could not be made:\n{said}"
            raise PeerUnavailableError(message)
    ready.touch()
    return python

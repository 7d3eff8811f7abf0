"""The readers of docs/subscribing.md are run as they stand there, against a real Kafka."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent
from streams.app import build_plan
from streams.delivery.work import Work, partition_of
from streams.domain.decide import decide
from streams.domain.state import State
from streams.publishing import Source, publish_entity
from tests.builders import account, event, noted, request
from tests.conftest import running
from tests.kafka.conftest import Engine
from tools.kafka.broker import Broker
from tools.kafka.jars import COMPILER_LOCK, cache_folder, fetch_jars, locked_jars
from tools.kafka.java import find_java
from tools.verify.log import Log

PAGE = Path(__file__).parents[2] / "docs" / "subscribing.md"
TOPIC = "business-transactions"
PARTITIONS = 3
ACCOUNTS = ("ACC-1001", "ACC-1002", "ACC-1003", "ACC-1004")
AT_MS = 1_793_870_000_123
LIMIT_S = 60.0

Entity = Account | ChargeableEvent | Adjustment
Done = subprocess.CompletedProcess[str]
Run = Callable[[str], Done]  # given the address of Kafka


@dataclass
class Publisher:
    """Publishes as the engine does: what follows from one input record in one transaction."""

    bootstrap: str
    producer: Producer
    seq: Counter[int] = field(default_factory=Counter)  # the last, by partition
    lines: dict[int, list[str]] = field(default_factory=dict)  # what a reader finds, in order

    def publish(self, owner: str, *entities: Entity, is_aborted: bool = False) -> None:
        """Publish after-images of an account or of what belongs to it."""
        unit = partition_of(owner.encode(), PARTITIONS)
        work = Work(build_plan(PARTITIONS), SimpleNamespace(), unit, {TOPIC: self.seq[unit]})
        place = {"topic": "any", "partition": unit, "offset": 1, "timestamp": AT_MS}
        source = Source(work, SimpleNamespace(key=owner.encode(), headers=(), **place))
        self.producer.begin_transaction()
        for number, entity in enumerate(entities):
            publish_entity(work, source, number, entity, msgspec.json.encode(entity))
        for made in work.out[TOPIC, unit]:
            self.producer.produce(
                TOPIC, made.value, made.key, unit, headers=[*(made.headers or ())]
            )
        self.producer.flush(LIMIT_S)
        if is_aborted:
            self.producer.abort_transaction(LIMIT_S)
        else:
            self.producer.commit_transaction(LIMIT_S)
            self._note(unit, entities)

    def publish_all(self, owner: str) -> Adjustment:
        """Publish an account, its charge, and a credit of it."""
        of_owner = {"account": {"refId": owner}, "chargeableEventRefId": f"CE-{owner}"}
        debtor = account(refId=owner)
        charge = event(refId=f"CE-{owner}", account={"refId": owner})
        state = State(debtor, charge, None)
        decision = decide(state, request(**of_owner), noted(account_ref_id=owner))
        assert decision.chargeable_event
        assert decision.adjustment
        self.publish(owner, debtor)
        self.publish(owner, charge)
        self.publish(owner, decision.chargeable_event, is_aborted=True)
        self.publish(owner, decision.chargeable_event, decision.adjustment)
        return decision.adjustment

    def _note(self, unit: int, entities: tuple[Entity, ...]) -> None:
        codes = {Account: "account", ChargeableEvent: "chargeableEvent", Adjustment: "adjustment"}
        for entity in entities:
            self.seq[unit] += 1
            line = f"{unit}/{self.seq[unit]} {codes[type(entity)]} {entity.ref_id}"
            self.lines.setdefault(unit, []).append(line)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka of its own: the name of the topic is fixed, and each test wants it empty."""
    with running(Broker(tmp_path_factory.mktemp("kafka-of-readers"))) as started:
        yield started


@pytest.fixture
def publisher(broker: Broker) -> Iterator[Publisher]:
    """What writes to an empty topic."""
    options: dict[str, Any] = {"bootstrap.servers": broker.bootstrap}
    admin = AdminClient(options)
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(LIMIT_S)
    producer = Producer({**options, "transactional.id": "engine"})
    producer.init_transactions(LIMIT_S)
    yield Publisher(broker.bootstrap, producer)
    admin.delete_topics([TOPIC], operation_timeout=LIMIT_S)[TOPIC].result(LIMIT_S)


@pytest.fixture
def run_python(tmp_path: Path) -> Run:
    """Runs the reader in Python, on the same store each time."""
    (tmp_path / "reader.py").write_text(example("python"))
    return lambda kafka: run([sys.executable, "reader.py", kafka], tmp_path)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the reader in Java, but for the address of Kafka."""
    folder = tmp_path_factory.mktemp("java")
    (folder / "Reader.java").write_text(example("java"))
    cache, mirror, java = cache_folder(), os.environ.get("ADJUST_MAVEN_URL"), find_java().path
    (compiler,) = fetch_jars(locked_jars(COMPILER_LOCK), cache, mirror)
    path = os.pathsep.join(map(str, [folder, *fetch_jars(locked_jars(), cache, mirror)]))
    done = run([java, "-jar", str(compiler), "-17", "-cp", path, "Reader.java"], folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return [java, "-cp", path, "Reader"]


@pytest.fixture
def run_java(compiled: list[str], tmp_path: Path) -> Run:
    """Runs the reader in Java."""
    return lambda kafka: run([*compiled, kafka], tmp_path)


def example(language: str) -> str:
    """The one program of the page in a language."""
    (text,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(text)


def run(command: list[str], folder: Path) -> Done:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def read_up_to(publisher: Publisher) -> str:
    """What the reader in Python says at its end."""
    return f"read up to seq { {unit: publisher.seq[unit] for unit in range(PARTITIONS)} }\n"


def kept(folder: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(folder / "reader.db") as store:
        return store.execute("SELECT code, account, ref_id FROM image").fetchall()


def test_the_reader_in_python_keeps_the_last_images_and_goes_on_where_it_stopped(
    publisher: Publisher, run_python: Run, tmp_path: Path
) -> None:
    first, *others = [publisher.publish_all(owner) for owner in ACCOUNTS[:-1]]
    assert_ends_well(run_python(publisher.bootstrap), read_up_to(publisher))
    assert_ends_well(run_python(publisher.bootstrap), read_up_to(publisher))

    publisher.publish_all(ACCOUNTS[-1])
    publisher.publish("ACC-1001", account(refId="ACC-1001", state="SUSPENDED"))
    assert_ends_well(run_python(publisher.bootstrap), read_up_to(publisher))

    assert len(kept(tmp_path)) == 3 * len(ACCOUNTS)
    with sqlite3.connect(tmp_path / "reader.db") as store:
        (effect,) = store.execute(
            "SELECT value ->> '$.effect.taxIncludedAmount' FROM image WHERE ref_id = ?",
            [first.ref_id],
        ).fetchone()
        states = store.execute(
            "SELECT account, value ->> '$.state' FROM image WHERE code = 'account' ORDER BY 1"
        ).fetchall()
    assert effect == first.effect.tax_included_amount
    assert states == list(zip(ACCOUNTS, ["SUSPENDED", *["ACTIVE"] * 3], strict=True))
    assert all(other.effect == first.effect for other in others)


def test_the_reader_in_java_prints_each_image_in_order_and_the_sums(
    publisher: Publisher, run_java: Run
) -> None:
    made = {owner: publisher.publish_all(owner) for owner in ACCOUNTS}

    done = run_java(publisher.bootstrap)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    images = {
        unit: [line for line in lines if line.startswith(f"{unit}/")] for unit in publisher.lines
    }
    assert images == publisher.lines
    assert lines[sum(map(len, images.values())) :] == [
        f"{owner} {adjustment.effect.tax_included_amount}" for owner, adjustment in made.items()
    ]


def test_a_gap_in_seq_stops_both_readers_with_a_line(
    publisher: Publisher, run_python: Run, run_java: Run
) -> None:
    publisher.publish_all("ACC-1001")
    unit = partition_of(b"ACC-1001", PARTITIONS)
    publisher.seq[unit] += 1
    publisher.publish("ACC-1001", account(refId="ACC-1001", state="SUSPENDED"))

    for done in (run_python(publisher.bootstrap), run_java(publisher.bootstrap)):
        line = rf"partition {unit} stops: offset \d+ has seq 6, 5 comes next\n"
        assert done.returncode == 1
        assert re.fullmatch(line, done.stderr)


def test_the_reader_in_python_keeps_what_came_before_a_gap_and_stops_there_again(
    publisher: Publisher, run_python: Run, tmp_path: Path
) -> None:
    publisher.publish_all("ACC-1001")
    publisher.seq[partition_of(b"ACC-1001", PARTITIONS)] += 1
    publisher.publish_all("ACC-1001")

    first, again = run_python(publisher.bootstrap), run_python(publisher.bootstrap)

    assert len(kept(tmp_path)) == 3
    assert first.returncode == again.returncode == 1
    assert first.stderr == again.stderr


def test_the_reader_in_python_keeps_a_second_one_out(
    publisher: Publisher, run_python: Run, tmp_path: Path
) -> None:
    text = (tmp_path / "reader.py").read_text()
    # The first one waits where it would end by itself, before it has read anything.
    waiting = text.replace("while ends:", "print(flush=True), input()\nwhile ends:")
    (tmp_path / "waiting.py").write_text(waiting)
    publisher.publish_all("ACC-1001")
    command = [sys.executable, "waiting.py", publisher.bootstrap]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout
        first.stdout.readline()
        second = run_python(publisher.bootstrap)
        said, _ = first.communicate("\n", LIMIT_S)

    assert "database is locked" in second.stderr
    assert said == read_up_to(publisher)


def assert_ends_well(done: Done, said: str) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_both_readers_find_all_that_a_real_engine_published(
    engine: Engine, run_python: Run, run_java: Run
) -> None:
    log = Log(engine.options, [TOPIC])
    read, effects = dict.fromkeys(range(log.partitions[TOPIC]), 0), Counter[str]()
    for record in log.records():
        read[record.partition] += 1
        if record.headers["X-Ocs-Io-message-code"] == "adjustment":
            effect = json.loads(record.value or b"")["effect"]["taxIncludedAmount"]
            effects[(record.key or b"").decode()] += effect

    in_python, in_java = (
        each(engine.connection.bootstrap_servers) for each in (run_python, run_java)
    )

    assert_ends_well(in_python, f"read up to seq {read}\n")
    assert in_java.returncode == 0
    lines = in_java.stdout.splitlines()
    assert sum("/" in line for line in lines) == sum(read.values())
    assert lines[sum(read.values()) :] == [
        f"{name} {sum_}" for name, sum_ in sorted(effects.items())
    ]

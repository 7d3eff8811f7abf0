"""A store left behind is agreed with, also where Kafka compacted what it had read."""

import shutil
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exports them without a word
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from tests.kafka.conftest import Engine, running_engine
from tools.verify.log import Log
from tools.verify.standing import Kind, Standing
from tools.verify.undecided import wait_decided
from tools.verify.whole import Beside, verify_cluster
from tools.waiting import LIMIT_S, wait_until

CHANGELOG = "adjust-chargeable-events-changelog"
AT_ONCE = {"segment.ms": "500", "min.cleanable.dirty.ratio": "0.01"}
REQUESTS = 100


def compact_at_once(engine: Engine) -> None:
    """Make Kafka compact the changelog of events as soon as it can."""
    admin = AdminClient({**engine.options})
    (broker,) = admin.list_topics(timeout=LIMIT_S).brokers
    kinds = {
        ResourceType.TOPIC: (CHANGELOG, AT_ONCE),
        ResourceType.BROKER: (str(broker), {"log.cleaner.backoff.ms": "100"}),
    }
    resources = [
        ConfigResource(
            kind,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in configs.items()
            ],
        )
        for kind, (name, configs) in kinds.items()
    ]
    for done in admin.incremental_alter_configs(resources).values():
        done.result()


def newest(engine: Engine) -> set[tuple[int, int]]:
    """Where the newest record of each row of the changelog is."""
    records = Log(engine.options, [CHANGELOG]).records()
    return {*{record.key: (record.partition, record.offset) for record in records}.values()}


def answer_more(engine: Engine) -> None:
    engine.send_requests(REQUESTS)
    assert wait_decided(engine.options, LIMIT_S) == 0


def is_compacted(engine: Engine, read: set[tuple[int, int]]) -> bool:
    """Whether a record is gone that rows were read from, with more and more written after it."""
    answer_more(engine)
    left = Log(engine.options, [CHANGELOG]).records()
    return not read <= {(record.partition, record.offset) for record in left}


@pytest.mark.timeout(300)
def test_a_store_left_behind_is_agreed_with_where_its_changelog_was_compacted(
    tmp_path: Path,
) -> None:
    with running_engine(tmp_path / "engine") as engine:
        old = tmp_path / "old"
        with engine.worker("worker") as worker:
            worker.wait_ready()
            answer_more(engine)
            read = newest(engine)
        shutil.copytree(engine.folder / "worker", old)
        compact_at_once(engine)
        with engine.worker("worker") as worker:
            worker.wait_ready()
            wait_until(lambda: is_compacted(engine, read), "Kafka compacted what the store read")
            findings = verify_cluster(engine.options, Beside(worker_homes=[old]))
    assert findings.lines == []
    behind = [each for each in findings.stores if each.standing is Standing.BEHIND]
    assert behind
    assert {each.kind for each in behind} == {Kind.WORKER}

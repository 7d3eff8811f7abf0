"""A fault that finds nothing to strike says so, and leaves the worker at work."""

import random
import sys
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError

from schemas.topics import INPUTS, TopicSettings
from streams.delivery.store import Store, StoreMemory
from tools.chaos import clock_faults, network_faults, store_faults, worker_faults
from tools.chaos.faults import SceneFault
from tools.chaos.outcome import NotDoneError
from tools.chaos.plan import Round
from tools.chaos.programs import Life, Program
from tools.chaos.scene import Scene
from tools.verify.workers import UnitStore
from tools.waiting import comes_true

A_WORKER = "import time; print('at work', flush=True); time.sleep(600)"
DRAW = random.Random(1)  # noqa: S311 - a plan, not a secret
AT_ONCE = (0.0, 0.0)
A_WORKER_THAT_GROWS_BY_5 = """
import sys, time
from pathlib import Path
from streams.delivery.store import Store, StoreMemory
store = Store(Path(sys.argv[1]), StoreMemory())
reached = store.local(["changelog"]).next["changelog"]
store.write({}, {"changelog": reached + 5})
print("at work", flush=True)
time.sleep(600)
"""
UNKNOWN_MEMBER = KafkaError(KafkaError.UNKNOWN_MEMBER_ID)
ONE_WORKER = Round(1, "1/1", 60.0, 1, 1, 20, is_static=True)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(tmp_path, ONE_WORKER)
    life = Life([sys.executable, "-c", A_WORKER])
    made.workers = [Program("worker-1", tmp_path / "worker-1", life, "at work")]
    made.workers[0].start()
    assert await made.workers[0].is_ready()
    yield made
    await made.stop_programs()


@pytest.mark.parametrize(
    "fault", [store_faults.delete, store_faults.truncate, store_faults.put_back]
)
async def test_a_worker_without_a_store_is_not_counted_and_runs_on(
    scene: Scene, fault: SceneFault
) -> None:
    with pytest.raises(NotDoneError, match="worker-1 has no store yet"):
        await fault(scene, DRAW)

    assert await scene.workers[0].is_ready()


async def test_a_store_is_cut_short_once_it_is_there(scene: Scene) -> None:
    store = scene.workers[0].home / "worker-0" / "unit-1.db"
    store.mkdir(parents=True)
    (store / "CURRENT").write_text("MANIFEST-000004")

    done = await store_faults.truncate(scene, DRAW)

    assert done.details == "worker-1, unit-1.db/CURRENT"
    assert (store / "CURRENT").stat().st_size < len("MANIFEST-000004")
    assert list(scene.cut_short) == [store]


async def test_a_store_without_files_cannot_be_cut_short(scene: Scene) -> None:
    (scene.workers[0].home / "worker-0" / "unit-1.db").mkdir(parents=True)

    with pytest.raises(NotDoneError, match="worker-1 has nothing in its store yet"):
        await store_faults.truncate(scene, DRAW)

    assert not scene.cut_short


async def test_a_store_that_did_not_grow_is_not_put_back(scene: Scene) -> None:
    store = scene.workers[0].home / "worker-0" / "unit-1.db"
    grow(store, 3)

    with pytest.raises(NotDoneError, match="worker-1 wrote nothing more to its store"):
        await store_faults.put_back(scene, DRAW, AT_ONCE)

    assert reached(store) == 3


async def test_a_store_is_put_back_to_what_it_was_before_it_grew(scene: Scene) -> None:
    worker = scene.workers[0]
    store = worker.home / "worker-0" / "unit-1.db"
    grow(store, 3)
    worker.usual = Life([sys.executable, "-c", A_WORKER_THAT_GROWS_BY_5, str(store)])

    done = await store_faults.put_back(scene, DRAW, AT_ONCE)

    assert done.details == "worker-1, 5 records older"
    assert await worker.is_ready()
    await worker.stop()
    assert reached(store) == 8


async def test_if_no_worker_runs_all_of_them_are_not_killed(scene: Scene) -> None:
    await scene.workers[0].stop()

    with pytest.raises(NotDoneError, match="no worker runs"):
        await worker_faults.kill_all(scene.running)


async def test_who_dies_before_the_point_is_not_counted_as_killed_there(scene: Scene) -> None:
    no_point = Life([sys.executable, "-c", "print('at work')"])

    with pytest.raises(NotDoneError, match="worker-1 ended before it came to Take 2"):
        await worker_faults.die_at(scene.workers[0], "Take", 2, no_point)


async def test_who_does_not_come_to_the_point_is_killed_and_not_counted(scene: Scene) -> None:
    worker = scene.workers[0]
    worker.ready_s = 0.0

    with pytest.raises(NotDoneError, match="worker-1 did not come to Take 2; killed anyway"):
        await worker_faults.die_at(worker, "Take", 2, worker.usual, wait_s=0.0)

    assert await comes_true(lambda: worker.lives == 3)


async def test_who_dies_at_the_point_says_so(scene: Scene) -> None:
    says = Life([sys.executable, "-c", "print('point Take reached by unit 3')"])

    done = await worker_faults.die_at(scene.workers[0], "Take", 2, says)

    assert done.details == "worker-1 at Take 2"


async def test_who_is_not_at_work_is_in_no_session_to_freeze_past(scene: Scene) -> None:
    await scene.workers[0].stop()
    scene.workers[0] = Program("mute", scene.folder / "mute", scene.workers[0].usual, "never")
    scene.workers[0].start()
    scene.workers[0].ready_s = 0.0

    with pytest.raises(NotDoneError, match="mute was in no group before"):
        await worker_faults.freeze(scene, DRAW)


class Group:
    """A group that somebody is still in, the first times that its offsets are to be set."""

    def __init__(self, busy_times: float) -> None:
        self.busy_times, self.places = busy_times, 0

    def alter_consumer_group_offsets(
        self, asked: list[ConsumerGroupTopicPartitions]
    ) -> dict[str, Future[ConsumerGroupTopicPartitions]]:
        self.busy_times -= 1
        ((group, places),) = [(each.group_id, each.topic_partitions or []) for each in asked]
        self.places = len(places)
        answered = [Place(None if self.busy_times < 0 else UNKNOWN_MEMBER) for _ in places]
        future: Future[ConsumerGroupTopicPartitions] = Future()
        future.set_result(cast("ConsumerGroupTopicPartitions", Answer(answered)))
        return {group: future}


class Place(NamedTuple):
    """What Kafka says of one partition."""

    error: KafkaError | None


class Answer(NamedTuple):
    """What Kafka says of all partitions; its own class lets nobody set the errors."""

    topic_partitions: list[Place]


def test_offsets_are_set_once_the_last_member_is_gone() -> None:
    group = Group(3)

    worker_faults.set_offsets(group, 5)

    assert group.busy_times == -1
    assert group.places == len(INPUTS) * TopicSettings().partitions


def test_offsets_that_kafka_refuses_for_each_partition_are_not_set() -> None:
    with pytest.raises(NotDoneError, match=r"Kafka refuses: .*UNKNOWN_MEMBER_ID"):
        worker_faults.set_offsets(Group(float("inf")), 5, 0.1)


@pytest.mark.parametrize("seed", range(50))
def test_each_jump_of_a_clock_is_one(seed: int) -> None:
    jumps = clock_faults.jumps_of(random.Random(seed))  # noqa: S311 - a plan, not a secret

    assert all(one != other for one, other in pairwise([0, *jumps]))


async def test_a_network_fault_that_nothing_passed_through_is_not_counted(scene: Scene) -> None:
    draw = random.Random(3)  # noqa: S311 - a plan, not a secret
    for fault in (network_faults.cut, network_faults.hold, network_faults.delay):
        with pytest.raises(NotDoneError, match="had nothing under way"):
            await fault(scene, draw, AT_ONCE)


def grow(store: Path, reached: int) -> None:
    """Let it come so far in a changelog."""
    store.parent.mkdir(exist_ok=True)
    made = Store(store, StoreMemory())
    made.open()
    made.write({}, {"changelog": reached})
    made.close()


def reached(store: Path) -> int:
    with closing(UnitStore(store)) as unit:
        return unit.following["changelog"]

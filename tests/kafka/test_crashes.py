"""Workers killed at random, frozen, held and given wrong stores: the books agree."""

import random
import shutil
from functools import partial
from pathlib import Path

import msgspec
import pytest

from streams.delivery.protocol import Mark
from streams.delivery.store import Store, StoreMemory
from tests.kafka.conftest import Engine
from tools.load import SteadyLoad
from tools.waiting import wait_until

SESSION_S = 6.0
DIED = 70


def has_sent(load: SteadyLoad, count: int) -> bool:
    return len(load.acknowledged) >= count


def stores(home: Path) -> list[Path]:
    return sorted(home.glob("worker-*/unit-*.db"))


def test_three_workers_killed_at_random_under_load_keep_the_books(engine: Engine) -> None:
    draw = random.Random(7)  # noqa: S311 - which one is killed next
    workers = {name: engine.worker(name) for name in ("one", "two", "three")}
    try:
        for worker in workers.values():
            worker.wait_ready()
        with SteadyLoad(engine.options, engine.population, 300, repeat_share=0.2) as load:
            for _ in range(10):
                enough = len(load.acknowledged) + 300
                wait_until(partial(has_sent, load, enough), "the load flows")
                name = draw.choice(list(workers))
                workers[name].kill()
                workers[name] = engine.worker(name)
            engine.acknowledged += load.stop()
        engine.check()
    finally:
        for worker in workers.values():
            worker.kill()


def test_a_worker_frozen_in_a_transaction_past_its_session_dies_and_changes_nothing(
    engine: Engine,
) -> None:
    with engine.worker("frozen", "Confirm", 1, 1.0) as frozen, engine.worker("heir") as heir:
        frozen.wait_ready()
        heir.wait_ready()
        engine.send_requests(200)
        frozen.wait_for("point Confirm reached")
        frozen.freeze()
        engine.check()  # the heir decides what was the frozen one's, once the session is over
        frozen.resume()
        assert frozen.wait_end() == DIED
        assert "FATAL" in frozen.text
        assert "Traceback" not in frozen.text
        engine.send_requests(200)
        engine.check()
        heir.stop()


def test_an_idle_worker_frozen_past_its_session_comes_back_and_changes_nothing(
    engine: Engine,
) -> None:
    with engine.worker("asleep") as asleep, engine.worker("awake") as awake:
        asleep.wait_ready()
        awake.wait_ready()
        asleep.freeze()
        engine.send_requests(200)
        engine.check()
        asleep.resume()
        engine.send_requests(200)
        engine.check()
        awake.stop()


def test_a_catch_up_of_three_sessions_ends_in_service_without_a_second_rebalance(
    engine: Engine,
) -> None:
    with engine.worker("held", "CaughtUp", 1, 3 * SESSION_S) as worker:
        worker.wait_ready()
        assert "take-over 1:" in worker.text
        assert "take-over 2:" not in worker.text
        engine.send_requests(50)
        engine.check()
        worker.stop()


def test_a_store_put_back_to_an_older_copy_is_read_on_to_the_end(
    engine: Engine, tmp_path: Path
) -> None:
    home = engine.folder / "older"
    with engine.worker("older") as worker:
        worker.wait_ready()
        worker.stop()
    shutil.copytree(home, tmp_path / "copy")
    with engine.worker("older") as worker:
        worker.wait_ready()
        engine.send_requests(200)
        engine.check()
        worker.stop()
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "copy", home)
    with engine.worker("older") as worker:
        worker.wait_ready()
        engine.send_requests(200)
        engine.check()
        worker.stop()


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (Mark("0" * 8, 1, "another-cluster"), "of cluster another-cluster"),
        (None, "is not on the line"),
    ],
)
def test_a_store_of_another_cluster_or_another_line_is_deleted_and_replayed(
    engine: Engine, mark: Mark | None, why: str
) -> None:
    with engine.worker("foreign") as worker:
        worker.wait_ready()
        worker.stop()
    (path, *_) = stores(engine.folder / "foreign")
    store = Store(path, StoreMemory())
    store.open()
    own = store.local([]).mark
    assert own
    store.write({}, {}, mark or msgspec.structs.replace(own, take_over="ffffffff"))
    store.close()
    with engine.worker("foreign") as worker:
        worker.wait_ready()
        worker.wait_for(why)
        engine.send_requests(100)
        engine.check()
        worker.stop()


def test_a_store_that_is_damaged_is_deleted_and_replayed(engine: Engine) -> None:
    with engine.worker("damaged") as worker:
        worker.wait_ready()
        worker.stop()
    (path, *_) = stores(engine.folder / "damaged")
    (path / "CURRENT").unlink()
    for manifest in path.glob("MANIFEST-*"):
        manifest.write_bytes(b"torn")
    (path / "CURRENT").write_text("nonsense")
    with engine.worker("damaged") as worker:
        worker.wait_ready()
        worker.wait_for("it cannot be opened")
        engine.send_requests(100)
        engine.check()
        worker.stop()


def test_a_second_worker_of_one_home_takes_a_folder_of_its_own(engine: Engine) -> None:
    with engine.worker("shared") as first, engine.worker("shared") as second:
        wait_until(
            lambda: len(list((engine.folder / "shared").glob("worker-*/instance-id"))) == 2,
            "two folders",
        )
        wait_until(lambda: first.text.count("ready") >= 2, "both are ready")
        engine.send_requests(100)
        engine.check()
        first.stop()
        second.stop()

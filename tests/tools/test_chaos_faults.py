"""A fault that finds nothing to strike says so, and leaves the worker at work."""

import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tools.chaos import store_faults
from tools.chaos.faults import Fault
from tools.chaos.outcome import NotDoneError
from tools.chaos.plan import Round
from tools.chaos.programs import Life, Program
from tools.chaos.scene import Scene

A_WORKER = "import time; print('at work', flush=True); time.sleep(600)"
DRAW = random.Random(1)  # noqa: S311 - a plan, not a secret
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
    scene: Scene, fault: Fault
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

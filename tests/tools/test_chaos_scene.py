"""What a round takes care of before it is judged."""

import os
from pathlib import Path

from tools.chaos.plan import plan_rounds
from tools.chaos.scene import Scene

CUT_AT = 1000.0


def store(home: Path, name: str, opened_at: float) -> Path:
    """A store that RocksDB opened at that time."""
    path = home / "worker-0" / name
    path.mkdir(parents=True)
    (path / "LOG").touch()
    os.utime(path / "LOG", (opened_at, opened_at))
    return path


async def test_a_store_that_was_cut_short_is_judged_only_if_a_worker_has_opened_it_since(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, plan_rounds(1, 2)[0])
    opened = store(tmp_path, "unit-0.db", CUT_AT + 1)
    left = store(tmp_path, "unit-1.db", CUT_AT - 1)
    scene.cut_short = {opened: CUT_AT, left: CUT_AT, tmp_path / "gone": CUT_AT}

    scene.forget_damage()

    assert opened.exists()
    assert not left.exists()

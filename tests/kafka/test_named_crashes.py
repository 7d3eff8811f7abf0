"""Workers killed three times at each named step, one, two and three of them: the books agree."""

import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from tests.kafka.conftest import Engine, running_engine
from tools.forked_worker import ForkedWorker
from tools.load import SteadyLoad
from tools.waiting import wait_until
from tools.workers import POINTS

HITS = (1, 2, 3)
RATE_PER_S, REPEAT_SHARE = 60, 0.2
KILLED = -9
ALL_REACHED_WITHIN_S = 240.0
# Long enough for a worker that is started again on a busy machine to be still a member: what is
# tried here is the death, not the absence.
SESSION = {"ADJUST_SESSION_TIMEOUT_S": "30"}


class Point(NamedTuple):
    """A step, and the how many-th time that it is done in a worker's life."""

    step: str
    hit: int


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Kafka that holds little, since all of it is read again for each look at the books."""
    with running_engine(tmp_path_factory.mktemp("named-crashes")) as engine:
        yield engine


class Crew:
    """As many workers as it was made for, each to be killed at the next point of a list."""

    def __init__(self, engine: Engine, homes: list[str], points: list[Point]) -> None:
        self.engine, self.left = engine, deque(points)
        self.armed: dict[str, Point | None] = {}
        self.workers: dict[str, ForkedWorker] = {}
        for home in homes:
            self.start(home)

    def start(self, home: str) -> None:
        """Start a worker for the next point; with none left, to stay."""
        point = self.armed[home] = self.left.popleft() if self.left else None
        if point and point.step == "ReplayPart":
            self.lose_stores(home)
        self.workers[home] = self.engine.worker(home, *(point or ()), environment=SESSION)

    def lose_stores(self, home: str) -> None:
        """Else there may be nothing to replay."""
        for store in (self.engine.folder / home).glob("worker-*/unit-*.db"):
            shutil.rmtree(store)

    def all_is_reached(self) -> bool:
        """Start whoever was killed again; says whether nobody is left that will be."""
        for home, worker in self.workers.items():
            code = worker.process.poll()
            if code is not None:
                point = self.armed[home]
                assert code == KILLED, worker.text
                assert point
                assert f"point {point.step} reached" in worker.text
                self.start(home)
        return not any(self.armed.values())

    def stop(self) -> None:
        """Stop all orderly, the next test finds nobody in the group."""
        for worker in self.workers.values():
            worker.wait_ready()
            assert worker.stop() == 0

    def kill(self) -> None:
        """Leave nobody behind."""
        for worker in self.workers.values():
            worker.kill()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_workers_killed_three_times_at_each_named_step_lose_and_double_nothing(
    own_engine: Engine, count: int
) -> None:
    points = [Point(step, hit) for hit in HITS for step in POINTS]
    homes = [f"{number}-of-{count}" for number in range(1, count + 1)]
    with (
        ExitStack() as at_the_end,
        SteadyLoad(own_engine.options, own_engine.population, RATE_PER_S, REPEAT_SHARE) as load,
    ):
        crew = Crew(own_engine, homes, points)
        at_the_end.callback(crew.kill)
        wait_until(crew.all_is_reached, "each point is reached", ALL_REACHED_WITHIN_S)
        own_engine.acknowledged += load.stop()
        own_engine.check()
        crew.stop()

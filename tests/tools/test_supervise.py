"""Parts that are started, brought back and stopped, shown with children of a line each."""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tools.supervise import Part, PartFailedError, Supervisor

LIMIT_S = 30.0
PAUSE_S = 0.05
SERVE = "import time; print('ready', flush=True); time.sleep(600)"


class Listener:
    """Notes what is said, in its order."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def say(self, name: str, text: str) -> None:
        self.heard.append((name, text))

    def count(self, name: str, text: str) -> int:
        return self.heard.count((name, text))


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def supervisor(listener: Listener) -> Supervisor:
    return Supervisor(listener.say, pause_first_s=PAUSE_S)


def part(name: str, program: str = SERVE, ready_line: str | None = "ready") -> Part:
    return Part(name=name, command=[sys.executable, "-c", program], ready_line=ready_line)


async def test_parts_come_up_one_after_the_other_and_stop_in_reverse(
    supervisor: Supervisor, listener: Listener
) -> None:
    await supervisor.run_once(part("topics", "print('made')"))
    for name in ("worker", "api"):
        await supervisor.bring_up(part(name))
    children = below_this()
    await supervisor.stop()

    assert listener.heard == [
        ("topics", "made"),
        ("worker", "ready"),
        ("api", "ready"),
        ("run", "api stopped"),
        ("run", "worker stopped"),
    ]
    assert len(children) == 4  # a guard each
    await until(lambda: not any(map(is_alive, children)))


async def test_of_parts_that_come_up_together_the_one_that_fails_says_why(
    supervisor: Supervisor,
) -> None:
    failing = part("finance", "import sys; sys.exit('no such database')")
    with pytest.raises(
        PartFailedError, match=r"finance ended with exit code 1 .*\n.*no such database"
    ):
        await supervisor.bring_up_together([part("dwh"), failing])
    await supervisor.stop()


async def test_a_part_can_be_asked_whether_it_is_ready(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    sign = tmp_path / "sign"

    async def is_there() -> bool:
        return sign.exists()

    program = f"import pathlib, time; pathlib.Path({str(sign)!r}).touch(); time.sleep(600)"
    command = [sys.executable, "-c", program]
    await supervisor.bring_up(Part(name="api", command=command, is_ready=is_there))
    await supervisor.stop()
    assert sign.exists()


async def test_a_part_that_dies_is_brought_back_each_time_after_a_longer_pause(
    supervisor: Supervisor, listener: Listener
) -> None:
    await supervisor.bring_up(part("worker", "print('ready'); raise SystemExit(3)"))
    await until(lambda: listener.count("worker", "ready") >= 4)
    await supervisor.stop()

    pauses = [text for name, text in listener.heard if name == "run"]
    assert pauses[:3] == [
        f"worker ended with exit code 3; starting it again in {pause_s} s"
        for pause_s in ("0.05", "0.1", "0.2")
    ]


async def test_a_killed_part_is_told_by_its_signal(
    supervisor: Supervisor, listener: Listener
) -> None:
    await supervisor.bring_up(part("worker"))
    (worker,) = (child for child in below_this() if "-I" not in child.cmdline())  # not its guard
    worker.kill()
    await until(lambda: listener.count("worker", "ready") == 2)
    await supervisor.stop()

    assert ("run", "worker ended with exit code 137; starting it again in 0.05 s") in listener.heard


async def test_a_part_that_fails_three_times_before_it_is_ready_is_given_up(
    supervisor: Supervisor, listener: Listener
) -> None:
    await supervisor.bring_up(part("worker"))
    program = "print('no such folder'); raise SystemExit(1)"
    with pytest.raises(PartFailedError) as failed:
        await supervisor.bring_up(part("api", program))
    await supervisor.stop()

    assert str(failed.value) == (
        "api ended with exit code 1 before it was ready."
        "\n  no such folder\n  no such folder\n  no such folder"
    )
    assert listener.count("api", "no such folder") == 3
    assert listener.heard[-1] == ("run", "worker stopped")


async def test_a_step_that_fails_tells_its_last_lines(supervisor: Supervisor) -> None:
    with pytest.raises(PartFailedError, match=r"topics ended with exit code 2(?s:.*)no Kafka"):
        await supervisor.run_once(part("topics", "print('no Kafka'); raise SystemExit(2)"))


async def test_a_stop_does_not_wait_for_the_pause_of_a_dead_part(listener: Listener) -> None:
    supervisor = Supervisor(listener.say, pause_first_s=600)
    await supervisor.bring_up(part("worker", "print('ready')"))
    await until(lambda: any(name == "run" for name, _ in listener.heard))
    async with asyncio.timeout(LIMIT_S):
        await supervisor.stop()


async def test_a_step_that_is_left_behind_is_ended(supervisor: Supervisor) -> None:
    step = asyncio.create_task(supervisor.run_once(part("topics")))
    await until(lambda: len(below_this()) == 2)
    children = below_this()
    step.cancel()
    await asyncio.wait({step})
    assert not any(map(is_alive, children))


def below_this() -> list[psutil.Process]:
    """Give the guards and children that this test has started."""
    return [
        child for child in psutil.Process().children(recursive=True) if SERVE in child.cmdline()
    ]


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)

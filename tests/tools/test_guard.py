"""A guard ends its child when nobody is there any more, by force if it must."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests.tools.test_kafka_life import has_ended
from tools.guard import guarded
from tools.waiting import wait_until

SLEEPER = ("sleep", "60")


def test_a_closed_pipe_asks_for_a_stop() -> None:
    with running(*SLEEPER) as guard:
        child = child_of(guard)
        close(guard)

        assert guard.wait(10) == 0
    assert has_ended(child)


@pytest.mark.parametrize(
    ("code", "passed_on"), [(0, 0), (7, 7), (128 + 15, 0)], ids=["well", "badly", "as Java does"]
)
def test_after_a_stop_the_code_of_a_child_that_ends_itself_is_passed_on(
    code: int, passed_on: int
) -> None:
    child = f"trap 'exit {code}' TERM; echo ready; while :; do sleep 0.01; done"
    with running("sh", "-c", child, out=subprocess.PIPE) as guard:
        assert guard.stdout
        assert guard.stdout.readline() == b"ready\n"
        close(guard)

        assert guard.wait(10) == passed_on


def test_a_frozen_child_is_killed_after_the_grace() -> None:
    with running(*SLEEPER) as guard:
        child = child_of(guard)
        child.suspend()
        wait_until(lambda: child.status() == psutil.STATUS_STOPPED, "the child stands still")
        close(guard)

        assert guard.wait(10) == 128 + 9
    assert has_ended(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_guard_takes_its_child_along() -> None:
    with running(*SLEEPER) as guard:
        child = child_of(guard)
        guard.kill()
        wait_until(lambda: has_ended(child), "the child has ended")


def test_the_exit_code_of_the_child_is_passed_on() -> None:
    with running("sh", "-c", "exit 7") as guard:
        assert guard.wait(10) == 7


@contextmanager
def running(*command: str, out: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        guarded(0.3, command),
        stdin=subprocess.PIPE,
        stdout=out,
        start_new_session=True,
    ) as guard:
        yield guard


def child_of(guard: subprocess.Popen[bytes]) -> psutil.Process:
    """Wait until the guard has started its child, and the child its program."""
    process = psutil.Process(guard.pid)
    wait_until(
        lambda: any(child.name() == SLEEPER[0] for child in process.children()), "it has a child"
    )
    return process.children()[0]


def close(guard: subprocess.Popen[bytes]) -> None:
    assert guard.stdin
    guard.stdin.close()

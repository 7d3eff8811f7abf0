"""However a Kafka is started and ended: who runs is said, and nothing is left behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tools.kafka.broker import Broker
from tools.kafka.errors import (
    FolderInUseError,
    FolderUnusableError,
    KafkaFailedError,
    StillStoppingError,
)
from tools.kafka.folder import take_locks
from tools.waiting import wait_until

LIMIT_S = 60


@dataclass(frozen=True)
class Started:
    """A Kafka in the foreground of a process of its own, and the processes below it."""

    process: subprocess.Popen[str]
    said: str
    guard: psutil.Process
    java: psutil.Process

    def is_gone(self) -> bool:
        """Whether guard and Java have ended."""
        return has_ended(self.guard) and has_ended(self.java)


def test_a_second_start_says_who_runs_and_where(kafka: Broker) -> None:
    with pytest.raises(FolderInUseError) as refused:
        Broker(kafka.home).start()

    assert f"process {os.getpid()}, reached at {kafka.bootstrap}" in str(refused.value)
    assert kafka.is_running


def test_a_taken_port_is_replaced_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        with started(tmp_path, port=taken) as kafka:
            assert f"port {taken} is taken: Kafka listens on 127.0.0.1:" in kafka.said
            kafka.process.send_signal(signal.SIGINT)
            assert kafka.process.wait(LIMIT_S) == 0
    assert kafka.is_gone()


def test_java_ends_with_a_killed_starter_and_the_next_start_succeeds(tmp_path: Path) -> None:
    with started(tmp_path) as first:
        first.process.kill()
        with started(tmp_path) as second:
            assert first.is_gone()
            assert not second.is_gone()
    assert second.is_gone()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_java_ends_with_a_killed_guard_and_the_starter_says_so(tmp_path: Path) -> None:
    with started(tmp_path) as kafka:
        kafka.guard.kill()
        _, said = kafka.process.communicate(timeout=LIMIT_S)

    assert kafka.process.returncode == 1
    assert "kafka ended by itself" in said
    assert kafka.is_gone()


def test_java_ends_when_the_terminal_is_closed(tmp_path: Path) -> None:
    with started(tmp_path) as kafka:
        kafka.process.send_signal(signal.SIGHUP)
        wait_until(kafka.is_gone, "Kafka is gone", LIMIT_S)


def test_a_kafka_that_cannot_start_gives_its_own_last_words(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=77\n")
    broker = Broker(tmp_path)
    broker.start()

    with pytest.raises(KafkaFailedError, match=r"did not start, see .*(?s:.*)77"):
        asyncio.run(broker.wait_ready())


def test_a_folder_that_is_still_in_use_is_waited_for_and_then_named(tmp_path: Path) -> None:
    starter, running = take_locks(tmp_path)
    starter.close()

    with running, pytest.raises(StillStoppingError, match=str(tmp_path)):
        take_locks(tmp_path, wait_s=0.1)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FolderUnusableError, match=str(tmp_path / "file")):
        Broker(tmp_path / "file" / "kafka").start()


@contextmanager
def started(home: Path, port: int = 0) -> Iterator[Started]:
    """Start Kafka in a session of its own and wait until it says that it is ready."""
    process = subprocess.Popen(
        command(home, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            said = read_until_ready(process)
            guard = psutil.Process(process.pid).children()[0]
            kafka = Started(process, said, guard, guard.children()[0])
            yield kafka
        finally:
            process.kill()
        wait_until(kafka.is_gone, "Kafka is gone", LIMIT_S)


def command(home: Path, port: int = 0) -> list[str]:
    return [sys.executable, "-m", "tools.kafka", "--home", str(home), "--port", str(port)]


def read_until_ready(process: subprocess.Popen[str]) -> str:
    said = ""
    for line in process.stdout or []:
        said += line
        if "kafka ready at" in line:
            return said
    raise AssertionError(said + (process.stderr.read() if process.stderr else ""))


def has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True

"""Starts, watches and stops one Kafka node for this machine.

The data folder holds the cluster's id, its logs and kafka.log. A guard stands between the starter
and Java: however the starter ends, Java ends too. `stop` is always called, also after Kafka ended
by itself.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tools.guard import guarded
from tools.kafka.errors import EmbeddedKafkaError, FolderUnusableError, KafkaFailedError
from tools.kafka.folder import leave_note, take_locks
from tools.kafka.jars import cache_folder, fetch_jars, locked_jars
from tools.kafka.java import find_java
from tools.kafka.ports import LOOPBACK, free_ports
from tools.kafka.program import Program, new_cluster_id
from tools.kafka.settings import Listener, Node, Secured, node_settings

READY_S, STOP_S = 60.0, 15.0
STOP_AND_KEEP_CLASSES_S = 60.0
STOP_ONE_OF_MANY_S = 3.0  # the last ones wait in vain for a majority
LEAST_FREE_MIB = 256
LAST_ERRORS = 2000


@dataclass
class Broker:
    """One node. `port` is the one wished until `start`, then the one that it became.

    `controllers` names the controller ports of all nodes of a cluster of several, which also
    share a `cluster_id`. `keep_classes` makes the first orderly stop 4 s longer and each start
    after it twice as fast. `for_long` trades start-up time for throughput.
    """

    home: Path
    port: int = 0
    number: int = 1
    controllers: dict[int, int] = field(default_factory=dict)
    cluster_id: str = field(default_factory=new_cluster_id)
    secured: Secured | None = None
    more: Sequence[Listener] = ()
    settings: dict[str, str] = field(default_factory=dict)
    keep_classes: bool = False
    for_long: bool = False
    stop_s: float = STOP_S
    notice: str | None = field(default=None, init=False)
    _inner_port: int = field(default=0, init=False)
    _program: Program | None = field(default=None, init=False)
    _starter_lock: IO[str] | None = field(default=None, init=False)
    _guard: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> None:
        """Return when Java runs; `wait_ready` returns when Kafka answers.

        Raises EmbeddedKafkaError. `notice` then tells what the user should know of the start.
        """
        self.home = self.home.absolute()
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self._starter_lock, running = take_locks(self.home)
            with running:  # from here on the guard and Java hold it
                self._start_locked(running)
        except OSError as problem:
            self.stop()
            raise FolderUnusableError(self.home, problem) from problem
        except BaseException:
            self.stop()
            raise

    def _start_locked(self, running: IO[str]) -> None:
        self._check_disk()
        cache = cache_folder()
        jars = fetch_jars(locked_jars(), cache, os.environ.get("ADJUST_MAVEN_URL"))
        self._program = Program(find_java(), jars, cache)
        self._choose_ports()
        self._write_settings()
        if not (self.home / "data" / "meta.properties").exists():
            self._program.format(self.home, self.cluster_id, self.secured, running)
        keeps_classes = self.keep_classes and not self._program.has_classes
        stop_s = STOP_AND_KEEP_CLASSES_S if keeps_classes else self.stop_s
        command = self._program.broker(for_long=self.for_long, keep_classes=keeps_classes)
        with (self.home / "kafka.err").open("w") as errors:
            self._guard = subprocess.Popen(
                guarded(stop_s, command),
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                pass_fds=[running.fileno()],
                start_new_session=True,
                cwd=self.home,
            )
        leave_note(self.home, self.bootstrap)

    async def wait_ready(self) -> None:
        """Return when metadata is served and a transaction could begin. Raises KafkaFailedError."""
        answers = asyncio.create_task(self._until_it_answers())
        deadline = time.monotonic() + READY_S
        try:
            while not answers.done() and self.is_running and time.monotonic() < deadline:
                await asyncio.wait({answers}, timeout=0.1)
        finally:
            is_ready = answers.done() and self.is_running
            answers.cancel()
            await asyncio.wait({answers})
        if is_ready:
            return answers.result()
        what = "was not ready in time" if self.is_running else "did not start"
        await asyncio.to_thread(self.stop)
        raise KafkaFailedError(what, self.home / "kafka.log", self.last_errors())

    def stop(self) -> int:
        """Stop in order, or by force after `stop_s`; give the exit code. Safe to call twice."""
        code = 0
        if self._guard and self._guard.stdin:
            self._guard.stdin.close()
            code = self._guard.wait()
        if self._program and code == 0:
            self._program.keep_classes(self.home)
        if self._starter_lock:
            self._starter_lock.close()
        return code

    def java(self) -> psutil.Process:
        """Give Kafka's process. Raises KafkaFailedError if it is gone."""
        try:
            assert self._guard
            (java,) = psutil.Process(self._guard.pid).children()
        except (ValueError, psutil.NoSuchProcess) as gone:
            log = self.home / "kafka.log"
            raise KafkaFailedError("has ended", log, self.last_errors()) from gone
        return java

    def kill(self) -> None:
        """End Java as a crash would; `stop` and then `start` bring it back."""
        if self._guard and self._guard.poll() is None:
            for java in psutil.Process(self._guard.pid).children():
                java.kill()
            self._guard.wait()

    def last_errors(self) -> str:
        """Give the end of what Java and Kafka wrote as errors, without stack traces."""
        text = (self.home / "kafka.err").read_text(errors="replace")
        lines = (line for line in text.splitlines() if not line.startswith("\tat "))
        return "\n".join(lines)[-LAST_ERRORS:]

    async def _until_it_answers(self) -> None:
        """Ask on the inner listener, which is open to this machine whoever `secured` lets in."""
        while True:
            with socket.socket() as probe:
                listens = probe.connect_ex((LOOPBACK, self._inner_port)) == 0
            if listens:
                producer = AIOKafkaProducer(
                    bootstrap_servers=f"{LOOPBACK}:{self._inner_port}",
                    transactional_id="embedded-kafka-is-ready",
                )
                with contextlib.suppress(KafkaError):
                    try:
                        await producer.start()
                        return
                    finally:
                        await producer.stop()
            await asyncio.sleep(0.03)

    def _choose_ports(self) -> None:
        wished = self.port
        self.port, self._inner_port, controller = free_ports(wished, 0, 0)
        self.controllers = self.controllers or {self.number: controller}
        if wished not in {0, self.port}:
            self.notice = f"port {wished} is taken: Kafka listens on {self.bootstrap} instead"

    def _write_settings(self) -> None:
        node = Node(
            self.number,
            self.port,
            self._inner_port,
            self.controllers,
            self.secured,
            self.more,
        )
        settings = {**node_settings(node), **self.settings}
        lines = (f"{name}={value}\n" for name, value in settings.items())
        (self.home / "server.properties").write_text("".join(lines))

    def _check_disk(self) -> None:
        free_mib = shutil.disk_usage(self.home).free >> 20
        if free_mib < LEAST_FREE_MIB:
            reason = f"only {free_mib} MiB of its disk are free, {LEAST_FREE_MIB} are needed"
            raise FolderUnusableError(self.home, reason)


async def start_nodes(home: Path, count: int) -> list[Broker]:
    """Start a cluster of several nodes on this machine and wait until all are ready."""
    ports = free_ports(*[0] * count)
    controllers = dict(enumerate(ports, start=1))
    cluster_id = new_cluster_id()
    nodes = [
        Broker(
            home / str(number),
            number=number,
            controllers=controllers,
            cluster_id=cluster_id,
            stop_s=STOP_ONE_OF_MANY_S,
        )
        for number in controllers
    ]
    try:
        for node in nodes:
            node.start()
        await asyncio.gather(*(node.wait_ready() for node in nodes))
    except EmbeddedKafkaError:
        for node in nodes:
            node.stop()
        raise
    return nodes

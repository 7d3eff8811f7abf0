"""`make run` as its user sees it: up, adjusting, brought back, stopped, started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import httpx
import psutil
import pytest

from tests.builders import REQUEST_ID, request_body
from tools.kafka.ports import free_ports
from tools.waiting import wait_until

LIMIT_S = 150.0
ANOTHER_ID = "0c5a2f5e-2b0e-4d57-8a86-6f1f0f1f2a11"


class Running:
    """The process, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()

    def wait_for(self, text: str, times: int = 1) -> None:
        """Return when the text was said that often."""
        deadline = time.monotonic() + LIMIT_S
        while self.said.count(text) < times:
            try:
                self.said += self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise AssertionError(self.said) from None

    def _read(self) -> None:
        for line in self.process.stdout or []:
            self._lines.put(line)


@pytest.mark.timeout(2 * LIMIT_S)
def test_it_adjusts_brings_back_stops_whole_and_remembers(tmp_path: Path) -> None:
    ports = free_ports(0, 0, 0)
    url = f"http://127.0.0.1:{ports[1]}"
    with started(tmp_path, ports) as first:
        first.wait_for("curl -i")
        assert_first_adjustment_is_told(first.said)
        assert_adjusts(url, request_body(), (-826446, -173554, -1000000))

        worker_of(first).kill()
        first.wait_for("adjust worker ready", times=2)
        another = request_body(requestId=ANOTHER_ID, chargeAdjustment=1210000)
        assert_adjusts(url, another, (-1000000, -210000, -1210000))

        tree = psutil.Process(first.process.pid).children(recursive=True)
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(LIMIT_S) == 0
        wait_until(lambda: not any(map(is_alive, tree)), "no process is left", LIMIT_S)
    with started(tmp_path, ports) as second:
        second.wait_for("curl -i")
        assert "asked:" not in second.said
        answer = httpx.get(f"{url}/v1/adjustments/{REQUEST_ID}", trust_env=False).json()
        assert answer["status"] == "APPLIED"

        tree = psutil.Process(second.process.pid).children(recursive=True)
        second.process.kill()
        wait_until(lambda: not any(map(is_alive, tree)), "no process is left", LIMIT_S)


def test_a_taken_port_of_rest_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        code, said = run_to_the_end(environment(tmp_path, (0, port, 0)))

    assert code == 1
    assert re.fullmatch(
        rf" *run \| stopped: REST cannot listen on 127.0.0.1:{port} .*ADJUST_API_PORT\.\n", said
    )


@pytest.mark.parametrize(
    ("setting", "given", "told"),
    [
        ("ADJUST_KAFKA_PORT", "many", "ADJUST_KAFKA_PORT: "),
        ("ADJUST_DEMO", "perhaps", "ADJUST_DEMO: "),
        ("ADJUST_HOME", "/proc/none", "Kafka cannot keep its data in /proc/none/kafka"),
        ("ADJUST_SECURITY_PROTOCOL", "SECRET", "ADJUST_SECURITY_PROTOCOL: "),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(
    tmp_path: Path, setting: str, given: str, told: str
) -> None:
    code, said = run_to_the_end({**environment(tmp_path, (0, 0, 0)), setting: given})

    assert code == 1
    assert f"run | stopped: {told}" in said
    assert "Traceback" not in said


def test_a_part_that_cannot_start_stops_all_with_its_own_words(tmp_path: Path) -> None:
    (nobody,) = free_ports(0)
    own = {"ADJUST_SECURITY_PROTOCOL": "SSL", "ADJUST_SSL_CAFILE": "/none"}
    kafka = {"ADJUST_BOOTSTRAP_SERVERS": f"127.0.0.1:{nobody}", **own}
    code, said = run_to_the_end({**environment(tmp_path, (0, 0, 0)), **kafka})

    assert code == 1
    assert "run | stopped: topics ended with exit code 1 before it was ready." in said


def assert_first_adjustment_is_told(said: str) -> None:
    named = (line.split("| ", 1) for line in said.splitlines())
    told = [text.strip() for name, text in named if name.strip() == "demo"]
    assert told[-4:] == [
        "asked:    POST /v1/adjustments: CREDIT 5.00 EUR with tax on CE-500002 of ACC-1001",
        "answered: 201 APPLIED, effect -5.00 EUR (-4.132231 without tax, tax -0.867769)",
        (
            "Finance:  chargeableEvent CE-500002 version 2, PARTIALLY_CREDITED, "
            "now 19.20 EUR (15.867769 without tax, tax 3.332231)"
        ),
        (
            "Finance:  adjustment ADJ-ACC-1001-1b6f0b0a-3c6e-4c1f-8f0b-5d9e2a7c4e01, "
            "-5.00 EUR (-4.132231 without tax, tax -0.867769), NEXT_BILL"
        ),
    ]


def assert_adjusts(url: str, body: dict[str, Any], effect: tuple[int, int, int]) -> None:
    answer = httpx.post(
        f"{url}/v1/adjustments",
        json=body,
        headers={"Prefer": "wait=30"},
        timeout=40,
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    assert tuple(answer.json()["adjustment"]["effect"].values()) == effect


@contextmanager
def started(home: Path, ports: list[int]) -> Iterator[Running]:
    """Run the system until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.run"],
        env=environment(home, ports),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield Running(process)
        finally:
            process.kill()


def run_to_the_end(given: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.run"],
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout


def environment(home: Path, ports: list[int] | tuple[int, int, int]) -> dict[str, str]:
    others = {name: text for name, text in os.environ.items() if not name.startswith("ADJUST_")}
    names = ("ADJUST_KAFKA_PORT", "ADJUST_API_PORT", "ADJUST_METRICS_PORT")
    return others | {"ADJUST_HOME": str(home)} | dict(zip(names, map(str, ports), strict=True))


def worker_of(running: Running) -> psutil.Process:
    below = psutil.Process(running.process.pid).children(recursive=True)
    (worker,) = (each for each in below if each.cmdline()[1:] == ["-m", "streams"])
    return worker


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

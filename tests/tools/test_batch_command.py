"""What `python -m tools.batch` says of mistakes, and how it follows a batch over lost streams."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tools.kafka.ports import free_ports

ADJUSTMENT = '{"adjustmentMode": "FULL", "chargeType": "CREDIT", "currency": "EUR"}'


def run(
    *arguments: str, stdin: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.batch", "--user", "fin:omar", *arguments]
    return subprocess.run(
        command,
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--adjustment", "{"], "it is not JSON"),
        (["--adjustment", "[]"], "it is no JSON object"),
        (["--adjustment", "@/nowhere"], "/nowhere: No such file"),
        (["--adjustment", ADJUSTMENT, "--items", "/nowhere"], "/nowhere: No such file"),
        (["--adjustment", ADJUSTMENT, "--batch-id", "7"], "7 is no GUID"),
        (["--adjustment", ADJUSTMENT, "--url", "127.0.0.1:8080"], "is no address such as http:"),
        (["--adjustment", ADJUSTMENT, "--url", "ftp://host"], "is no address such as http:"),
        (["--adjustment", ADJUSTMENT, "--url", "http://"], "is no address such as http:"),
        (["--adjustment", ADJUSTMENT, "--url", "http://host:port"], "is no address"),
        (["--adjustment", ADJUSTMENT, "--url", "http://[::1"], "is no address"),
        (["--adjustment", ADJUSTMENT, "--url", "http://host:99999"], "is no address"),
    ],
)
def test_a_mistake_is_told_in_a_line(arguments: list[str], said: str) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr.splitlines()[-1]


def test_a_rest_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    (nobody,) = free_ports(0)
    file = tmp_path / "items.csv"
    file.write_text("account,chargeableEventRefId\n")
    address = ["--url", f"http://127.0.0.1:{nobody}", "--items", str(file)]
    ended = run("--adjustment", ADJUSTMENT, *address)
    assert ended.returncode == 2
    assert "cannot be reached" in ended.stdout
    assert "Traceback" not in ended.stderr


class HangsUp(BaseHTTPRequestHandler):
    """A REST that dies after it has read what was sent, and before it answers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))


def test_who_has_lost_the_answer_is_told_how_to_ask_for_the_same_batch_again() -> None:
    with HTTPServer(("127.0.0.1", 0), HangsUp) as rest:
        thread = Thread(target=rest.handle_request)
        thread.start()
        address = ["--url", f"http://127.0.0.1:{rest.server_port}", "--account", "A"]
        lost = run("--adjustment", ADJUSTMENT, "--yes", *address)
        thread.join()
    assert lost.returncode == 2
    told = [line for line in lost.stdout.splitlines() if "again with --batch-id " in line]
    assert len(told) == 1, lost.stdout


class Scripted(BaseHTTPRequestHandler):
    """Takes a batch; each question how far it is gets the next answer, the last one for ever."""

    script: list[Any]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(202, "application/json", json.dumps(report(0)).encode())

    def do_GET(self) -> None:
        told = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(told, int):
            self._answer(told, "text/plain", b"Nobody is there.")
        else:
            events = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in told)
            self._answer(200, "text/event-stream; charset=utf-8", b": here\n\n" + events)

    def _answer(self, status: int, media_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def report(applied: int, left_s: float | None = None) -> dict[str, Any]:
    """How far a batch of three items is."""
    return {
        "batchId": "3f2c9a52-4a38-4d0e-8f9a-5f1f0f1b7a11",
        "dryRun": False,
        "state": "FINISHED" if applied == 3 else "RUNNING",
        "matched": 3,
        "pending": 3 - applied,
        "applied": applied,
        "refused": 0,
        "effect": {"taxExcludedAmount": -9, "taxAmount": -1, "taxIncludedAmount": -10},
        "refusals": {},
        "secondsLeft": left_s,
    }


@contextmanager
def rest(*script: Any) -> Iterator[list[str]]:
    """Give the arguments of a batch for a REST that answers so."""
    handler = type("Handler", (Scripted,), {"script": [*script]})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield ["--adjustment", ADJUSTMENT, "--account", "A", "--yes", "--url", address]
        server.shutdown()
        thread.join()


def test_what_is_left_is_shown_beside_the_progress() -> None:
    with rest([report(1, left_s=83.6), report(3, left_s=0.0)]) as arguments:
        ended = run(*arguments, FORCE_COLOR="1", TERM="xterm", COLUMNS="200")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "about 0:01:24 left" in ended.stdout


def test_a_batch_is_followed_over_a_restart_of_rest() -> None:
    lost = [[report(1)], 503, 404, 502, [report(2)], [], [report(3)]]
    with rest(*lost) as arguments:
        ended = run(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("status", [404, 503, 200])
def test_a_batch_of_which_nothing_is_heard_any_more_is_given_up(status: int) -> None:
    with rest([report(1)], status) as arguments:
        ended = run(*arguments, "--patience", "1", COLUMNS="300")
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert "Nothing was heard of the batch for 1 s" in ended.stdout
    assert "It goes on if it is known: http://127.0.0.1" in ended.stdout


@contextmanager
def terminal(typed: bytes) -> Iterator[int]:
    """Give a terminal on which this was typed."""
    ours, its = pty.openpty()
    try:
        os.write(ours, typed)
        yield its
    finally:
        os.close(its)
        os.close(ours)


@pytest.mark.parametrize(
    ("typed", "code"),
    [(b"y\n", 0), (b"n\n", 3), (b"\n", 3), (b"\x04", 3)],
    ids=["yes", "no", "nothing", "end of input"],
)
def test_nothing_is_adjusted_but_on_a_yes(typed: bytes, code: int) -> None:
    with rest([report(3)]) as arguments, terminal(typed) as stdin:
        unconfirmed = [argument for argument in arguments if argument != "--yes"]
        ended = run(*unconfirmed, stdin=stdin)
    assert "Adjust them? [y/N] " in ended.stdout
    assert (ended.returncode, ended.stderr) == (code, "")


def test_sums_are_shown_to_the_last_micro_unit() -> None:
    sums = {"taxExcludedAmount": 9_007_199_254_740_993_001, "taxAmount": -1, "taxIncludedAmount": 0}
    with rest([report(3) | {"effect": sums}]) as arguments:
        ended = run(*arguments)
    shown = [line.strip("│ ").split()[-1] for line in ended.stdout.splitlines() if "effect" in line]
    assert shown == ["9,007,199,254,740.993001", "-0.000001", "0.000000"]


class Stranger(BaseHTTPRequestHandler):
    """Another service, with JSON of its own."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"detail": "Not Found"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_another_service_is_told_apart_from_ours() -> None:
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        address = ["--url", f"http://127.0.0.1:{server.server_port}", "--account", "A"]
        ended = run("--adjustment", ADJUSTMENT, "--dry-run", *address, COLUMNS="300")
        thread.join()
    assert ended.returncode == 2
    assert ended.stderr == ""
    assert "answered 404; this is no REST of ours" in ended.stdout

"""What `python -m tools.batch` says of a mistake: a line, and exit code 2."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tools.kafka.ports import free_ports

ADJUSTMENT = '{"adjustmentMode": "FULL", "chargeType": "CREDIT", "currency": "EUR"}'


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.batch", "--user", "fin:omar", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--adjustment", "{"], "it is not JSON"),
        (["--adjustment", "[]"], "it is no JSON object"),
        (["--adjustment", "@/nowhere"], "/nowhere: No such file"),
        (["--adjustment", ADJUSTMENT, "--items", "/nowhere"], "/nowhere: No such file"),
        (["--adjustment", ADJUSTMENT, "--batch-id", "7"], "7 is no GUID"),
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

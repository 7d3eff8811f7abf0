"""A folder is removed once nobody works there any more."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.chaos.folder import SWEEP
from tools.waiting import wait_until

STILL_STOPS = """
import pathlib, sys, time
folder, latest = pathlib.Path.cwd(), time.monotonic() + 60
print(flush=True)
while folder.exists() and time.monotonic() < latest:
    time.sleep(0.01)
(folder / "made anew").mkdir(parents=True, exist_ok=True)
print(flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who works in a folder")
def test_what_a_program_makes_anew_while_it_stops_is_removed_too(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(
            [sys.executable, "-c", STILL_STOPS], cwd=folder, stdin=pipe, stdout=pipe
        ) as stopping,
        subprocess.Popen([sys.executable, "-I", "-S", SWEEP, folder], stdin=pipe) as sweeper,
    ):
        assert stopping.stdin
        assert stopping.stdout
        assert sweeper.stdin
        stopping.stdout.readline()
        sweeper.stdin.close()
        stopping.stdout.readline()
        wait_until(lambda: not folder.exists(), "what was made anew is gone")
        assert sweeper.poll() is None
        stopping.stdin.close()
        wait_until(lambda: sweeper.poll() is not None, "the sweeper has ended")
    assert not folder.exists()

"""A folder is removed once nobody works there any more."""

import subprocess
import sys
from pathlib import Path

from tools.chaos.folder import SWEEP
from tools.waiting import wait_until

STILL_STOPS = """
import pathlib, sys
folder = pathlib.Path.cwd()
print(flush=True)
while folder.exists():
    pass
(folder / "made anew").mkdir(parents=True)
print(flush=True)
sys.stdin.read()
"""


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

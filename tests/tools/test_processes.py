"""Programs beside tests and measurements: what they wrote, how they ended, what they cost."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.tools.test_kafka_life import has_ended
from tools.bench.processes import Part
from tools.waiting import wait_until
from tools.workers import ProgramProcess

UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
SAYS_AND_WAITS = ("http.server", "0", "--bind", "127.0.0.1")
BENCH = """
import sys
from pathlib import Path
from tools.bench.processes import Part, Program

home = Path(sys.argv[1])
with (
    Part("http.server", home, {}, "0", "--bind", "127.0.0.1") as part,
    Program("sleeper", home, ["sleep", "60"]) as program,
):
    print(part.process.pid, program.process.pid, flush=True)
    sys.stdin.read()
"""


def test_a_program_is_waited_for_stopped_and_told_how_it_ended(tmp_path: Path) -> None:
    with ProgramProcess(tmp_path, UNBUFFERED, [*SAYS_AND_WAITS], "server.log") as server:
        server.wait_for("Serving HTTP")
        assert server.stop() == -signal.SIGTERM
    assert (tmp_path / "server.log").read_text().startswith("Serving HTTP")


def test_one_that_ends_instead_of_saying_it_tells_what_it_wrote(tmp_path: Path) -> None:
    with (
        ProgramProcess(tmp_path, {}, ["json.tool", "absent.json"], "tool.log") as tool,
        pytest.raises(RuntimeError, match=r"absent\.json"),
    ):
        tool.wait_for("Serving HTTP")


def test_a_measured_part_costs_something_and_is_stopped_orderly(tmp_path: Path) -> None:
    with Part(SAYS_AND_WAITS[0], tmp_path, UNBUFFERED, *SAYS_AND_WAITS[1:]) as part:
        part.wait_for("Serving HTTP")
        wait_until(lambda: part.cpu_s > 0, "it has cost something")
        assert part.memory_mb > 1
    assert part.process.poll() == 0


def test_a_measured_part_that_is_killed_ends_at_once_and_is_seen_to(tmp_path: Path) -> None:
    with Part(SAYS_AND_WAITS[0], tmp_path, UNBUFFERED, *SAYS_AND_WAITS[1:]) as part:
        part.wait_for("Serving HTTP")
        part.kill()
        assert part.process.poll() == -signal.SIGKILL


def test_measured_parts_end_with_a_bench_that_is_killed(tmp_path: Path) -> None:
    bench = subprocess.Popen(
        [sys.executable, "-c", BENCH, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert bench.stdin
    assert bench.stdout
    part, program = (psutil.Process(int(number)) for number in bench.stdout.readline().split())

    bench.kill()
    bench.wait()

    wait_until(lambda: has_ended(part) and has_ended(program), "both have ended")
    bench.stdin.close()
    bench.stdout.close()


def test_a_measured_part_that_ends_well_is_waited_for(tmp_path: Path) -> None:
    with Part("timeit", tmp_path, {}, "pass") as part:
        part.wait_for_end()
    assert "loops" in part.text


def test_a_measured_part_that_ends_badly_ends_the_measurement(tmp_path: Path) -> None:
    with (
        Part("timeit", tmp_path, {}, "1/0") as part,
        pytest.raises(RuntimeError, match=r"timeit ended with 1:\n(?s:.*)ZeroDivisionError"),
    ):
        part.wait_for_end()

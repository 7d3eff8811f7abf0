"""Programs beside tests and measurements: what they wrote, how they ended, what they cost."""

import signal
from pathlib import Path

import pytest

from tools.bench.processes import Part
from tools.workers import ProgramProcess

UNBUFFERED = {"PYTHONUNBUFFERED": "1"}
SAYS_AND_WAITS = ("http.server", "0", "--bind", "127.0.0.1")


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
        assert part.cpu_s > 0
    assert part.process.poll() == -signal.SIGTERM


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

"""What `python -m tools.chaos` says to who cannot run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = "http://127.0.0.1:1"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it where Kafka's files are neither kept nor to be had."""
    settings = {
        "ADJUST_CACHE": str(folder / "cache"),
        "ADJUST_MAVEN_URL": NOWHERE,
        "TMPDIR": str(folder),
    }
    return subprocess.run(
        [sys.executable, "-m", "tools.chaos", *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_kafka_is_told_in_a_line_and_nothing_is_left(tmp_path: Path) -> None:
    ended = run(tmp_path, "--minutes", "1", "--report", str(tmp_path / "report.md"))

    assert ended.returncode == 2
    assert "Chaos cannot begin: Kafka's program files are not all in" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not [*tmp_path.glob("adjust-chaos-*"), *tmp_path.glob("report.*")]


@pytest.mark.parametrize("name", ["absent/report.md", "report.json", ".", "/dev/null"])
def test_a_report_that_cannot_be_written_is_told_before_hours_are_spent(
    tmp_path: Path, name: str
) -> None:
    ended = run(tmp_path, "--report", str(tmp_path / name))

    assert ended.returncode == 2
    assert "cannot be" in ended.stderr.splitlines()[-1]

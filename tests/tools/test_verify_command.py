"""The command says what it found to a person and to a program, and mistakes in one line."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tools.verify.arguments import read_arguments
from tools.verify.checks import Check
from tools.verify.findings import Findings, show
from tools.verify.standing import Kind, Looked, Standing

NOWHERE = "127.0.0.1:1"


def found(*lines: str, finance: Standing = Standing.ABSENT) -> Findings:
    check = Check("seq without gap", rows=9, invariant="I4")
    for line in lines:
        check.say(line)
    looked = Looked(Kind.FINANCE, "Finance", finance, text=f"Finance is {finance}.")
    findings = Findings([check], stores=[looked])
    findings.totals["requests"] = 7
    return findings


def test_a_table_names_each_invariant_with_its_rows_and_disagreements() -> None:
    text = StringIO()
    show(found("adjustment-results-0-2: seq is 4."), Console(file=text, width=120))
    assert "7 requests" in text.getvalue()
    assert [cell.strip() for cell in text.getvalue().splitlines()[4].split("│")[1:-1]] == [
        "I4",
        "seq without gap",
        "9",
        "1",
    ]
    assert "adjustment-results-0-2: seq is 4." in text.getvalue()
    assert "Finance is absent." in text.getvalue()


def test_a_program_is_given_the_same() -> None:
    findings = found("adjustment-results-0-2: seq is 4.")
    assert json.loads(json.dumps(findings.as_json())) == {
        "agrees": False,
        "checks": [
            {
                "id": "I4",
                "name": "seq without gap",
                "rows": 9,
                "disagreements": 1,
                "lines": ["adjustment-results-0-2: seq is 4."],
            }
        ],
        "stores": [
            {
                "kind": "finance",
                "name": "Finance",
                "standing": "absent",
                "behind": 0,
                "text": "Finance is absent.",
            }
        ],
        "totals": {"requests": 7, "disagreements": 1},
        "notes": ["Finance is absent."],
    }


def test_what_could_not_be_read_is_not_agreed_with() -> None:
    others = set(Standing) - {Standing.UNREADABLE}
    assert all(found(finance=standing).is_agreed for standing in others)
    assert not found(finance=Standing.UNREADABLE).is_agreed


def test_acknowledged_requests_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "acknowledged"
    file.write_text("ACC-1 a\n\nACC-2 b\n")
    asked = read_arguments(None, ["--acknowledged", str(file), "--home", str(tmp_path)])
    asked.acknowledged.note(b"ACC-1/a")
    assert [*asked.acknowledged.missing()] == [
        "Request b of account ACC-2 was acknowledged, and has no result."
    ]
    assert asked.worker_home == [tmp_path]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--acknowledged", "nowhere"], "nowhere: No such file or directory"),
        (["--acknowledged", "."], ".: Is a directory"),
        (["--worker-home", "nowhere"], "nowhere is no folder"),
        (["--wait", "long"], "long is no number of seconds"),
        (["--wait", "-1"], "-1 is no number of seconds"),
        (["--json", "nowhere/report"], "nowhere/report cannot be a file"),
        (["--unheard-of"], "unrecognized arguments"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        read_arguments(None, given)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_a_line_that_is_no_pair_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "acknowledged"
    file.write_text("ACC-1 a\nACC-2\n")
    with pytest.raises(SystemExit):
        read_arguments(None, ["--acknowledged", str(file)])
    assert "line 2 is not 'account requestId': ACC-2" in capsys.readouterr().err


def test_a_kafka_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.verify", "--bootstrap-servers", NOWHERE]
    done = subprocess.run(
        [*command, "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={name: os.environ[name] for name in ("PATH",)},
    )
    assert done.returncode == 1
    assert done.stdout.startswith(f"Kafka at {NOWHERE} was not read:")
    assert "Traceback" not in done.stdout + done.stderr

"""The report adds runs up, and a disagreement fails a run however it was found."""

import json
import math
from pathlib import Path

import pytest

from tools.chaos.judging import read_verdict
from tools.chaos.plan import KINDS
from tools.chaos.report import Report, label_of, percentile
from tools.verify.checks import Check
from tools.verify.findings import Findings
from tools.verify.standing import Kind, Looked, Standing


def report(seed: int = 1) -> Report:
    made = Report(seeds=[seed], minutes=10.0)
    made.rounds["with 1 node"] += 2
    made.faults["worker killed at random"] += 3
    made.recoveries["worker killed at random"] += [2.0, 4.0]
    made.requests["new"] += 100
    made.totals["acknowledged"] += 90
    return made


def summed(tmp_path: Path, *reports: Report) -> tuple[int, str]:
    files = []
    for number, each in enumerate(reports):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(each.as_json()))
    return sum_up(files)


def sum_up(files: list[Path]) -> tuple[int, str]:
    report = Report.sum_of(json.loads(file.read_text()) for file in files)
    return report.exit_code, report.as_markdown()


def test_runs_add_up(tmp_path: Path) -> None:
    code, text = summed(tmp_path, report(1), report(2))

    assert code == 0
    assert "Seeds: 1, 2. 20 minutes." in text
    assert "4 with 1 node" in text
    assert "| worker killed at random | 6 | 4 | 2.0 | 4.0 | 4.0 |" in text
    assert "200 new" in text
    assert "180 acknowledged" in text
    assert "Disagreements: none." in text


def test_a_kind_that_was_not_drawn_is_not_run() -> None:
    made = report()
    made.faults.update({label_of(kind.name, 3): 1 for kind in KINDS})
    assert "Faults not run: none." in made.as_markdown()

    del made.faults["disk full"]

    assert "Faults not run: disk full (not drawn)." in made.as_markdown()


def test_kinds_of_one_group_add_up_to_a_row_of_their_own(tmp_path: Path) -> None:
    made = report()
    made.faults["worker killed at a named point"] += 2
    made.recoveries["worker killed at a named point"].append(6.0)
    made.faults[label_of("broker killed", 3)] += 1

    text = summed(tmp_path, made)[1]

    assert "| **worker kills** | **5** | 3 | 4.0 | 6.0 | 6.0 |" in text
    assert "| broker killed, one of 3 | 1 | 0 | | | |" in text
    assert "**broker restarts**" not in text
    assert "| **all** | **6** | 3 | 4.0 | 6.0 | 6.0 |" in text


def test_who_never_recovered_is_in_the_percentiles_and_in_the_json(tmp_path: Path) -> None:
    made = report()
    made.recoveries["worker killed at random"].append(math.inf)

    text = summed(tmp_path, made)[1]

    assert "| worker killed at random | 3 | 3 | 4.0 | never | never |" in text
    assert "After worker kills p99 is never s" not in text
    assert "After worker kills p99 is never, 20 s are allowed." in text
    assert "Infinity" not in json.dumps(made.as_json())


def test_what_the_promise_allows_stands_beside_what_was_measured() -> None:
    made = report()
    made.recoveries["broker killed, one of 3"] += [28.0]
    made.recoveries["several at once"] += [50.0]

    text = made.as_markdown()

    assert "After worker kills p99 is 4.0 s, 20 s are allowed." in text
    assert "After broker restarts p99 is 28.0 s, 30 s are allowed." in text


def test_a_fault_that_one_run_could_not_do_is_named_unless_another_did_it(tmp_path: Path) -> None:
    without, other = report(), report()
    without.not_run["disk full"] = other.not_run["disk full"] = "no mounts here"
    assert "disk full (no mounts here)" in summed(tmp_path, without, other)[1]

    other.faults["disk full"] += 1

    assert "disk full (" not in summed(tmp_path, without, other)[1]


def test_one_disagreement_of_one_run_fails_the_sum(tmp_path: Path) -> None:
    broken = report(2)
    broken.disagreements = 1
    broken.lines.append("request 7 has two results")

    code, text = summed(tmp_path, report(1), broken)

    assert code == 1
    assert "Disagreements: 1." in text
    assert "- request 7 has two results" in text


def test_what_was_not_done_and_rounds_without_a_verdict_are_named_apart(tmp_path: Path) -> None:
    short = report(2)
    short.not_done["store truncated"] += 2
    short.unjudged.append("round 4, it was interrupted.")

    code, text = summed(tmp_path, report(1), short)

    assert code == 2
    assert "could not be done, and not counted: 2 store truncated." in text
    assert "Without a verdict, and not counted: round 4, it was interrupted." in text


def test_what_verify_disagrees_with_is_counted_and_told() -> None:
    check = Check("each request has its one result", 10, invariant="I1")
    check.say("adjustment-requests-0-7: 2 results.")

    verdict = read_verdict(Findings(checks=[check]).as_json())

    assert verdict.disagreements == 1
    assert verdict.lines[0].startswith("I1 each request has its one result: 1")
    assert "adjustment-requests-0-7: 2 results." in verdict.lines


def test_what_verify_could_not_read_is_a_disagreement() -> None:
    text = "Finance was not read: locked"
    locked = Looked(Kind.FINANCE, "Finance", Standing.UNREADABLE, text=text)
    verdict = read_verdict(Findings(stores=[locked]).as_json())

    assert (verdict.disagreements, verdict.lines) == (1, [text])


def test_a_subscriber_that_is_not_at_the_end_is_told_apart_from_a_worker() -> None:
    looked = [Looked(kind, kind, Standing.BEHIND, 2, f"{kind} is behind") for kind in (*Kind,)]
    verdict = read_verdict(Findings(stores=looked).as_json())

    assert verdict.disagreements == 0
    assert verdict.unread == ["finance is behind", "warehouse is behind"]


@pytest.mark.parametrize(("percent", "least"), [(50, 5.0), (99, 10.0), (1, 1.0)])
def test_a_percentile_is_one_of_the_times(percent: int, least: float) -> None:
    assert percentile([float(number) for number in range(10, 0, -1)], percent) == least

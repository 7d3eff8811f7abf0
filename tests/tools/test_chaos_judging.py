"""Whatever verify does but come to a verdict is a failed judgement."""

import sys
from pathlib import Path

import pytest

from tools.chaos.judging import Judge, JudgementFailedError

DIES = "import sys; print('Kafka was not read: too late'); sys.exit(1)"
HANGS = "import time; time.sleep(600)"
WRITES = """
import json, pathlib, sys
file = pathlib.Path(sys.argv[sys.argv.index("--json") + 1])
past = file.with_name("past")
past.write_text(past.read_text() + "." if past.exists() else ".")
tries, agrees = len(past.read_text()), {agrees}
if tries < {from_try}:
    sys.exit("too late")
stores = [{{"kind": "finance", "standing": "whole" if tries >= {whole_from} else "behind",
            "text": "Finance is behind"}}]
file.write_text(json.dumps({{"agrees": agrees, "checks": [], "stores": stores,
                            "totals": {{"disagreements": 0, "requests": 3}}}}))
sys.exit({code})
"""


def judge(folder: Path, program: str, limit_s: float = 60.0) -> Judge:
    made = Judge(folder, "127.0.0.1:1", folder, (), [sys.executable, "-c", program], limit_s)
    made.note_acknowledged([("ACC-1", "r-1")])
    return made


def writes(code: int = 0, from_try: int = 1, whole_from: int = 1) -> str:
    """What verify does that writes its findings, at some try."""
    return WRITES.format(agrees=code == 0, from_try=from_try, whole_from=whole_from, code=code)


async def test_a_verify_that_dies_is_a_failed_judgement_with_its_last_words(
    tmp_path: Path,
) -> None:
    with pytest.raises(JudgementFailedError, match="with 1: Kafka was not read: too late"):
        await judge(tmp_path, DIES).judge(0.0)


async def test_so_is_one_that_does_not_end(tmp_path: Path) -> None:
    with pytest.raises(JudgementFailedError, match="had not ended after 0 s"):
        await judge(tmp_path, HANGS, 0.1).judge(0.0)


async def test_so_is_one_whose_end_contradicts_what_it_wrote(tmp_path: Path) -> None:
    contradicts = writes().replace("sys.exit(0)", "sys.exit(3)")

    with pytest.raises(JudgementFailedError, match="verify ended with 3"):
        await judge(tmp_path, contradicts).judge(0.0)


async def test_one_that_was_too_slow_may_look_again(tmp_path: Path) -> None:
    verdict = await judge(tmp_path, writes(from_try=3)).judge(0.0)

    assert (verdict.disagreements, verdict.totals) == (0, {"requests": 3})


async def test_a_subscriber_that_is_behind_is_waited_for(tmp_path: Path) -> None:
    verdict = await judge(tmp_path, writes(whole_from=3)).judge(0.0)

    assert not verdict.unread
    assert (tmp_path / "past").read_text() == "..."


async def test_a_subscriber_that_stays_behind_is_a_disagreement(tmp_path: Path) -> None:
    verdict = await judge(tmp_path, writes(whole_from=1000)).judge(0.0, tries=2)

    assert (verdict.disagreements, verdict.lines) == (1, ["Finance is behind"])

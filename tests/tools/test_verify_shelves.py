"""A book is the same in memory and on disk, and leaves nothing behind."""

import tempfile
from pathlib import Path

import pytest

from tests.tools.runs import PARTITIONS, good_run
from tests.tools.test_verify_edits import CASES, Case, broken, findings_of
from tools.verify.shelves import Shelves
from tools.verify.whole import Beside, verify


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_book_that_goes_to_disk_holds_what_it_held(folder: Path) -> None:
    with Shelves(in_memory_max=2) as shelves:
        one, other = shelves.shelf(), shelves.shelf()
        expected = {b"%d" % number: b"%d" % (number * number) for number in range(5)}
        for key, content in expected.items():
            one[key] = content
            other[key] = b"other"
        assert [*folder.iterdir()]
        one[b"3"] = expected[b"3"] = b"written again"
        del one[b"4"], expected[b"4"]
        assert dict(one) == expected
        assert len(one) == len(expected)
        assert len(other) == len(expected) + 1
        assert one.get(b"4") is None
        with pytest.raises(KeyError):
            del one[b"4"]
    assert not [*folder.iterdir()]


def test_a_small_book_is_not_written(folder: Path) -> None:
    with Shelves(in_memory_max=2) as shelves:
        shelf = shelves.shelf()
        shelf[b"key"] = b"content"
        assert dict(shelf) == {b"key": b"content"}
        assert not [*folder.iterdir()]


def test_a_good_run_is_agreed_with_on_disk(folder: Path) -> None:
    written, stores = good_run()
    findings = verify(written, PARTITIONS, stores, Beside(in_memory_max=0))
    assert findings.lines == []
    assert not [*folder.iterdir()]


@pytest.mark.parametrize("case", CASES[::7], ids=[case.what for case in CASES[::7]])
def test_it_is_noticed_on_disk_that(case: Case) -> None:
    assert broken(findings_of(case.edit, in_memory_max=0)) == case.noticed_by

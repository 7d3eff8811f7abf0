"""A user's mistake is one line and an exit code; what there was before stays."""

import sys
from pathlib import Path

import pytest

from streams.subscribers.__main__ import MISTAKE, main
from streams.subscribers.finance.store import FinanceStore
from tests.streams.subscribers.finances import ACCOUNTS, CREDIT
from tests.streams.subscribers.topic import Partition, batch_of

PERIOD = ("finance", "export", "--from", "2026-11-01", "--to", "2026-12-01")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of local data, not there yet."""
    monkeypatch.setenv("ADJUST_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Call":
    return Call(monkeypatch, capsys)


class Call:
    """The command line, and what it says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str, **settings: str) -> tuple[int, str, str]:
        for name, value in settings.items():
            self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(sys, "argv", ["streams.subscribers", *arguments])
        code = main()
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (PERIOD, {}, "Finance has kept nothing yet"),
        (PERIOD, {"ADJUST_FINANCE_URL": "nonsense"}, "ADJUST_FINANCE_URL cannot be used"),
        (PERIOD, {"ADJUST_FINANCE_URL": "foo://a/b"}, "ADJUST_FINANCE_URL cannot be used"),
        ((*PERIOD[:-1], "2026-11-01"), {}, "The period is empty"),
        (("finance",), {"ADJUST_FINANCE_ACCOUNTS": "absent.toml"}, "absent.toml cannot be read"),
        (("finance",), {"ADJUST_BOOTSTRAP_SERVERS": "a:b"}, "'a:b' is no address"),
        (("dwh",), {"ADJUST_LEASE_S": "0"}, "ADJUST_LEASE_S: "),
        (("dwh", "sql", "SELECT nothing FROM nowhere"), {}, "nowhere"),
    ],
)
def test_a_mistake_is_said_in_one_line(
    call: Call, home: Path, arguments: tuple[str, ...], settings: dict[str, str], said: str
) -> None:
    code, out, err = call(*arguments, **settings)
    assert (code, out) == (MISTAKE, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not home.exists()


def test_an_export_that_fails_leaves_the_file_there_was(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "journal.csv"
    file.write_text("of last month")
    assert call(*PERIOD, "--output", str(file))[0] == MISTAKE
    assert file.read_text() == "of last month"
    assert [each.name for each in tmp_path.iterdir()] == ["journal.csv"]


def test_an_export_is_written_and_counted(call: Call, home: Path, tmp_path: Path) -> None:
    store, partition = FinanceStore(f"sqlite:///{home / 'finance.db'}", ACCOUNTS, 60.0), Partition()
    store.open()
    partition.adjust("CE-1", CREDIT)
    store.keep(batch_of(*partition.records))
    store.close()
    file = tmp_path / "journal.csv"

    code, out, _ = call(*PERIOD, "--output", str(file))

    assert (code, out) == (0, f"3 lines are in {file}\n")
    assert len(file.read_text().splitlines()) == 4


def test_a_query_is_answered_as_a_table(call: Call) -> None:
    code, out, _ = call("dwh", "sql", "SELECT count(*) AS adjustments FROM adjustment")
    assert (code, out.split()[0]) == (0, "adjustments")

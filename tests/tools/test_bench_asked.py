"""A bench measures what it is asked to, and a quick one less of it."""

from io import StringIO

import pytest
from confluent_kafka import KafkaError, KafkaException
from rich.console import Console

from tools.bench.__main__ import has_measured
from tools.bench.asked import PARTS, SIZES, command_of, lacking_parts, read_arguments


def test_all_parts_are_measured_with_the_usual_sizes_but_few_if_it_is_to_be_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("QUICK", raising=False)
    usual = read_arguments([])
    monkeypatch.setenv("QUICK", "1")
    quick = read_arguments([])

    assert (usual.parts, lacking_parts(usual)) == (PARTS, [])
    assert lacking_parts(quick) == ["engine", "workloads", "scaling", "sizes"]
    assert (usual.is_quick, quick.is_quick) == (False, True)
    for name, *_ in SIZES:
        attribute = name.replace("-", "_")
        assert 0 < getattr(quick, attribute) < getattr(usual, attribute)


def test_sizes_and_parts_are_as_given() -> None:
    asked = read_arguments(["--only", "latency", "restart", "--peer-events", "20000"])

    assert asked.parts == ["latency", "restart"]
    assert asked.peer_events == 20_000


def test_a_failure_of_what_is_measured_is_told_in_a_line() -> None:
    text = StringIO()

    def measure() -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, "the broker is gone"))

    assert not has_measured(measure, Console(file=text, width=40))
    assert text.getvalue().count("\n") == 1
    assert "the broker is gone" in text.getvalue()


def test_a_mistake_of_the_bench_is_not_taken_for_one() -> None:
    with pytest.raises(KeyError):
        has_measured(lambda: dict[str, None]().pop("absent"), Console(file=StringIO()))


@pytest.mark.parametrize(
    ("given", "quick", "command"),
    [
        ([], "0", "python -m tools.bench"),
        (["--only", *PARTS, "--rounds", "2"], "0", "python -m tools.bench"),
        ([], "1", "QUICK=1 python -m tools.bench"),
        (
            ["--only", *PARTS],
            "1",
            f"QUICK=1 python -m tools.bench --only {' '.join(PARTS)}",
        ),
        (
            ["--rounds", "5", "--only", "sizes", "--search-seconds", "1", "--page", "a"],
            "1",
            "QUICK=1 python -m tools.bench --only sizes --rounds 5 --search-seconds 1 --page a",
        ),
        (["--page", "/a.md"], "0", "python -m tools.bench --page a.md"),
    ],
)
def test_the_command_is_told_with_all_that_differs_from_the_usual(
    given: list[str], quick: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICK", quick)

    assert command_of(read_arguments(given)) == command


def test_the_parts_that_are_not_asked_for_are_known() -> None:
    assert lacking_parts(read_arguments([])) == []
    assert lacking_parts(read_arguments(["--only", *PARTS[2:]])) == [*PARTS[:2]]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--batch-items", "10"], "--batch-items: at least 10 for each"),
        *(
            ([f"--{name}", "10"], f"--{name}: at least one for each of --accounts")
            for name in ("events", "peer-events", "few-events", "many-events")
        ),
        (["--rounds", "0"], "--rounds: at least 1"),
        (["--paced-seconds", "0"], "--paced-seconds: at least 0.1 seconds"),
        (["--paced-seconds", "nan"], "--paced-seconds: at least 0.1 seconds"),
        (["--page", "nowhere/page.md"], "--page: there is no folder nowhere"),
        (["--only", "nothing"], "invalid choice: 'nothing'"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_arguments(given)
    assert told in capsys.readouterr().err

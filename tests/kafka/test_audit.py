"""A second reading of the rules agrees with every decision of a real worker."""

from collections.abc import Iterator

import pytest

from tests.kafka.conftest import Engine
from tools.audit.run import audit
from tools.workers import WorkerProcess


@pytest.fixture(scope="module", autouse=True)
def worker(engine: Engine) -> Iterator[WorkerProcess]:
    """One worker for all tests of this file; it must outlive them."""
    with engine.worker("audit") as worker:
        yield worker.wait_ready()
        assert worker.stop() == 0


def test_every_decision_is_as_the_auditor_reckons_it_and_every_refusal_occurs(
    engine: Engine,
) -> None:
    seen: list[int] = []

    report = audit(engine.options, 1_500, seed=1, advance=seen.append)

    assert report.disagreements == []
    assert report.unseen == []
    assert report.requests == seen[-1] == 1_500
    assert {mode for mode, _ in report.applied} == {
        *("AMOUNT", "PERCENT", "SET_TO", "FULL", "REVERSAL"),
    }
    assert report.replays > 0
    engine.check()

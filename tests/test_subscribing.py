"""What docs/subscribing.md says of our own subscribers; a test on Kafka runs its programs."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from streams.subscribers.finance.gl_accounts import read_accounts
from streams.subscribers.finance.store import FinanceStore
from streams.subscribers.finance.tables import HOLDER, METADATA
from streams.subscribers.metrics import Metrics
from streams.subscribers.reader import Reader
from streams.subscribers.settings import SubscriberSettings

LINES = (Path(__file__).parent.parent / "docs" / "subscribing.md").read_text().splitlines()
PAGE = " ".join(" ".join(LINES).split())
LINES_MAX = 220


def test_the_page_is_short() -> None:
    assert len(LINES) < LINES_MAX


def test_the_page_shows_the_line_that_a_gap_leaves(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics(CollectorRegistry())
    reader = Reader("any", {}, FinanceStore("sqlite://", read_accounts(None), 1.0), metrics)

    reader._stop(3, "offset 1042 has seq 58 where 57 comes next")

    assert caplog.messages[0] in PAGE


def test_the_page_names_the_metric_of_a_gap() -> None:
    registry = CollectorRegistry()
    Metrics(registry).stopped.set(1)

    (named,) = [each.name for each in registry.collect() if "stopped" in each.name]

    assert f"`{named}`" in PAGE


def test_the_page_names_every_table_of_finance() -> None:
    assert [name for name in METADATA.tables if f"`{name}`" not in PAGE] == [HOLDER.name]


def test_the_page_says_how_long_another_instance_waits() -> None:
    assert f"{SubscriberSettings.model_fields['lease_s'].default:.0f} s (`ADJUST_LEASE_S`)" in PAGE

"""A run's records are put in one order, each with its request, and what is missing is told."""

import json
from io import StringIO

import pytest
from rich.console import Console

from tests.tools.histories import ACCOUNT, Body, Step, account, applied, event, refused, request
from tools.audit.__main__ import show
from tools.audit.report import judge_all
from tools.verify.log import Record

CREDIT: Body = {"chargeType": "CREDIT", "taxIncluded": True}
CREDITED = event(
    adjusted=(-826_446, -173_554, -1_000_000), state="PARTIALLY_CREDITED", count=1, version=2
)
HISTORY = [
    Step("account", account()),
    *refused(
        request(2, **CREDIT, chargeAdjustment=5),
        "CHARGEABLE_EVENT_NOT_FOUND",
        "chargeableEventRefId",
        None,
    ),
    Step("chargeableEvent", event()),
    *applied(
        request(1, **CREDIT, chargeAdjustment=1_000_000),
        (-826_446, -173_554, -1_000_000),
        CREDITED,
    ),
    *refused(
        request(3, **CREDIT, chargeAdjustment=10**15),
        "CREDIT_EXCEEDS_REMAINING",
        "chargeAdjustment",
        CREDITED,
    ),
]


def record(topic: str, offset: int, message: Body, headers: dict[str, str]) -> Record:
    return Record(topic, 3, offset, ACCOUNT.encode(), json.dumps(message).encode(), headers)


@pytest.fixture
def records() -> list[Record]:
    """The records of a history as a reader gets them: topic by topic."""
    made: dict[str, list[Record]] = {"requests": [], "transactions": [], "results": []}
    for step in HISTORY:
        transactions, results = made["transactions"], made["results"]
        source = f"adjustment-requests-3-{len(results)}"
        if step.request is None:
            headers = {"seq": str(len(transactions) + 1)}
            headers["X-Ocs-Io-message-code"] = step.kind
            transactions.append(
                record("business-transactions", len(transactions), step.message, headers)
            )
            continue
        made["requests"].append(record("adjustment-requests", len(results), step.request, {}))
        headers = {
            "seq": str(len(results) + 1),
            "state-seq": str(len(transactions)),
            "source": source,
        }
        results.append(record("adjustment-results", len(results), step.message, headers))
    return [one for records in made.values() for one in records]


def test_the_two_topics_are_judged_in_the_order_of_their_numbers(records: list[Record]) -> None:
    for order in (records, records[::-1]):
        report = judge_all(order)
        assert report.disagreements == []
        assert report.requests == 3
        assert report.applied == {("AMOUNT", "PROPORTIONAL"): 1}
        assert report.refused == {"CHARGEABLE_EVENT_NOT_FOUND": 1, "CREDIT_EXCEEDS_REMAINING": 1}


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("adjustment-requests", "no request of this run stands at adjustment-requests-3-2"),
        ("adjustment-results", "The request adjustment-requests-3-2 has no result."),
        ("business-transactions", "was to be published before"),
    ],
)
def test_a_record_missing_is_told(records: list[Record], topic: str, said: str) -> None:
    last = [one for one in records if one.topic == topic][-1]
    report = judge_all(one for one in records if one is not last)
    assert len(report.disagreements) == 1
    assert said in report.disagreements[0]


def test_a_report_shows_each_disagreement_and_what_did_not_occur(records: list[Record]) -> None:
    out = StringIO()
    show(judge_all(records[1:]), Console(file=out, width=200))
    assert "Disagreements: 1." in out.getvalue()
    assert "no request of this run stands at adjustment-requests-3-0" in out.getvalue()
    assert "it did not occur: MISSING_ATTRIBUTE" in out.getvalue()

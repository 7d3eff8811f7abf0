"""What each input record makes the engine write, headers included; without Kafka."""

import gc
import json
import uuid
import weakref
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from streams.app import build_plan
from streams.delivery.work import Work, forget_oldest, partition_of
from streams.publishing import utc_text
from streams.rows import StoredAnswer
from streams.tables import tables

ACCOUNT, EVENT = "ACC-1001", "CE-500001"
UNIT = partition_of(ACCOUNT.encode(), 12)
REQUEST_ID = "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10"
AT_MS = 1_793_870_000_123


class EmptyStore:
    """A store that was never written."""

    def get(self, _table: bytes, _key: bytes) -> None:
        return None


def record(topic: str, value: Any, offset: int = 5120, **changed: Any) -> Any:
    made: dict[str, Any] = {
        "topic": topic,
        "partition": UNIT,
        "offset": offset,
        "timestamp": AT_MS,
        "key": ACCOUNT.encode(),
        "value": value if isinstance(value, bytes | None) else json.dumps(value).encode(),
        "headers": (),
    }
    return SimpleNamespace(**(made | changed))


ACCOUNT_VALUE = {
    "refId": ACCOUNT,
    "currency": "EUR",
    "state": "ACTIVE",
    "taxExempt": False,
    "billingInProgress": False,
}
EVENT_VALUE = {
    "refId": EVENT,
    "account": {"refId": ACCOUNT},
    "usageType": "DATA_ROAMING",
    "kind": "USAGE",
    "eventDate": "2026-11-03T14:21:09+01:00",
    "currency": "EUR",
    "original": {
        "taxExcludedAmount": 10_000_000,
        "taxAmount": 2_100_000,
        "taxIncludedAmount": 12_100_000,
    },
    "tax": {"code": "VAT21", "rate": 2100},
    "status": "RATED",
    "billingPeriod": {"start": "2026-11-01T00:00:00+01:00", "end": "2026-12-01T00:00:00+01:00"},
}
REQUEST_VALUE = {
    "requestId": REQUEST_ID,
    "user": "crm:jane",
    "chargeableEventRefId": EVENT,
    "chargeType": "CREDIT",
    "chargeAdjustment": 1_000_000,
    "currency": "EUR",
    "taxIncluded": True,
}


@pytest.fixture
def work() -> Work:
    """A batch in which an account and its chargeable event were just taken over."""
    made = Work(build_plan(12), EmptyStore(), UNIT, {})
    handle(made, record("accounts", ACCOUNT_VALUE, 1))
    handle(made, record("chargeable-events", EVENT_VALUE, 2))
    return made


def handle(work: Work, received: Any) -> None:
    work.plan.inputs[received.topic](work, received)


def written(work: Work, topic: str, partition: int = UNIT) -> list[Any]:
    records: list[Any] = work.out[topic, partition]
    return records


def headers(outgoing: Any) -> dict[str, str]:
    return {name: content.decode() for name, content in outgoing.headers}


def test_an_applied_request_publishes_event_adjustment_and_result_in_this_order(
    work: Work,
) -> None:
    noted = (("channel", b"REST"), ("traceparent", b"00-abc-def-01"))
    handle(work, record("adjustment-requests", REQUEST_VALUE, headers=noted))
    _, _, event, adjustment = written(work, "business-transactions")
    (result,) = written(work, "adjustment-results")
    place = f"adjustment-requests-{UNIT}-5120"
    common = {
        "source": place,
        "requestId": REQUEST_ID,
        "traceparent": "00-abc-def-01",
        "ce_specversion": "1.0",
        "ce_source": "/adjust/streams",
        "ce_time": utc_text(AT_MS),
        "content-type": "application/json",
    }
    assert headers(event) == common | {
        "seq": "3",
        "X-Ocs-Io-transaction-id": REQUEST_ID,
        "X-Ocs-Io-message-code": "chargeableEvent",
        "X-Ocs-Io-message-payload": "ChargeableEventEx",
        "ce_id": f"{place}-0",
        "ce_type": "io.adjust.ChargeableEvent.updated.v1",
        "ce_subject": EVENT,
    }
    assert headers(adjustment)["seq"] == "4"
    assert headers(adjustment)["ce_id"] == f"{place}-1"
    assert headers(result) == common | {
        "seq": "1",
        "state-seq": "2",
        "ce_id": f"{place}-2",
        "ce_type": "io.adjust.AdjustmentResult.applied.v1",
        "ce_subject": EVENT,
    }
    assert json.loads(adjustment.value)["channel"] == "REST"
    assert {event.timestamp, adjustment.timestamp, result.timestamp} == {AT_MS}


def test_an_upsert_publishes_under_its_own_place(work: Work) -> None:
    _, event = written(work, "business-transactions")
    assert "requestId" not in headers(event)
    assert headers(event)["X-Ocs-Io-transaction-id"] == f"chargeable-events-{UNIT}-2"


def test_an_upsert_that_changes_nothing_publishes_nothing(work: Work) -> None:
    handle(work, record("accounts", ACCOUNT_VALUE, 3))
    handle(work, record("chargeable-events", EVENT_VALUE, 4))
    assert len(written(work, "business-transactions")) == 2


def test_a_repeat_is_the_first_result_again_under_its_own_source(work: Work) -> None:
    handle(work, record("adjustment-requests", REQUEST_VALUE))
    handle(work, record("adjustment-requests", REQUEST_VALUE, 5121))
    first, again = written(work, "adjustment-results")
    assert again.value == first.value
    assert headers(again)["replay"] == "true"
    assert headers(again)["source"] == f"adjustment-requests-{UNIT}-5121"
    assert headers(again)["ce_id"] == f"adjustment-requests-{UNIT}-5121-0"
    assert headers(again)["state-seq"] == "4"
    assert len(written(work, "business-transactions")) == 4


def reversal_of(request_id: str, own_id: str, **changes: Any) -> dict[str, Any]:
    asked = {name: REQUEST_VALUE[name] for name in ("user", "chargeableEventRefId", "currency")}
    named = {"requestId": own_id, "reversalOf": f"ADJ-{ACCOUNT}-{request_id}"}
    return asked | named | changes


def test_an_adjustment_is_undone_once_and_its_own_answer_stays(work: Work) -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(1, 4)]
    handle(work, record("adjustment-requests", REQUEST_VALUE))
    handle(work, record("adjustment-requests", reversal_of(REQUEST_ID, ids[0]), 5121))
    handle(work, record("adjustment-requests", reversal_of(REQUEST_ID, ids[1]), 5122))
    handle(work, record("adjustment-requests", reversal_of(ids[0], ids[2]), 5123))
    handle(work, record("adjustment-requests", REQUEST_VALUE, 5124))
    results = written(work, "adjustment-results")
    codes = [[fault["code"] for fault in json.loads(it.value)["errors"]] for it in results]
    assert codes == [[], [], ["ALREADY_REVERSED"], ["NOT_REVERSIBLE"], []]
    assert results[4].value == results[0].value
    undone, again = (json.loads(results[place].value) for place in (1, 2))
    assert undone["adjustment"]["reversalOf"] == f"ADJ-{ACCOUNT}-{REQUEST_ID}"
    assert undone["remaining"] == EVENT_VALUE["original"]
    assert f"by ADJ-{ACCOUNT}-{ids[0]}" in again["errors"][0]["message"]


@pytest.mark.parametrize(
    "named",
    [
        f"ADJ-{ACCOUNT}-00000000-0000-0000-0000-00000000000f",  # no request had this id
        f"ADJ-ACC-2-{REQUEST_ID}",
        REQUEST_ID,
        "x",
    ],
)
def test_what_names_no_adjustment_of_the_account_is_not_found(work: Work, named: str) -> None:
    handle(work, record("adjustment-requests", REQUEST_VALUE))
    asked = reversal_of(REQUEST_ID, str(uuid.UUID(int=1)), reversalOf=named)
    handle(work, record("adjustment-requests", asked, 5121))
    _, result = written(work, "adjustment-results")
    assert json.loads(result.value)["errors"][0]["code"] == "ADJUSTMENT_NOT_FOUND"


def test_what_was_refused_cannot_be_undone(work: Work) -> None:
    handle(work, record("adjustment-requests", REQUEST_VALUE | {"currency": "USD"}))
    asked = reversal_of(REQUEST_ID, str(uuid.UUID(int=1)))
    handle(work, record("adjustment-requests", asked, 5121))
    _, result = written(work, "adjustment-results")
    assert json.loads(result.value)["errors"][0]["code"] == "ADJUSTMENT_NOT_FOUND"


def test_an_answer_stored_before_reversals_were_known_is_read_as_not_reversed() -> None:
    stored = msgspec.msgpack.encode([b"digest", "APPLIED", EVENT, b"{}"])
    row = tables()["answers"].decode(stored)
    assert row == StoredAnswer(b"digest", "APPLIED", EVENT, b"{}", None)


class OlderStore:
    """A store as it was written before rows had a compact form."""

    def __init__(self, work: Work) -> None:
        answer = work.get("answers", f"{ACCOUNT}/{REQUEST_ID}".encode())
        older = StoredAnswer(answer.content, answer.status, answer.subject, answer.value)
        self.rows = {
            f"{ACCOUNT}/{REQUEST_ID}".encode(): msgspec.msgpack.encode(older),
            f"{ACCOUNT}/{EVENT}".encode(): written(work, "business-transactions")[2].value,
            ACCOUNT.encode(): written(work, "business-transactions")[0].value,
        }

    def get(self, _table: bytes, key: bytes) -> bytes | None:
        return self.rows.get(key)


def test_rows_of_an_older_form_are_answered_from_and_undone(work: Work) -> None:
    handle(work, record("adjustment-requests", REQUEST_VALUE))
    later = Work(build_plan(12), OlderStore(work), UNIT, {})
    handle(later, record("adjustment-requests", REQUEST_VALUE, 5121))
    own_id = str(uuid.UUID(int=1))
    handle(later, record("adjustment-requests", reversal_of(REQUEST_ID, own_id), 5122))
    (first,) = written(work, "adjustment-results")
    again, undone = written(later, "adjustment-results")
    assert again.value == first.value
    assert json.loads(undone.value)["remaining"] == EVENT_VALUE["original"]


def test_what_is_kept_in_memory_is_read_by_the_next_batch_and_replaced_in_it() -> None:
    kept: dict[str, dict[bytes, Any]] = {"accounts": {}}
    first, second, third = (
        Work(build_plan(12), EmptyStore(), UNIT, {}, kept=kept) for _ in range(3)
    )
    handle(first, record("accounts", ACCOUNT_VALUE, 1))
    handle(second, record("accounts", ACCOUNT_VALUE | {"state": "SUSPENDED"}, 2))
    handle(third, record("accounts", ACCOUNT_VALUE | {"state": "SUSPENDED"}, 3))
    (image,) = written(second, "business-transactions")
    assert json.loads(image.value)["version"] == 2
    assert not written(third, "business-transactions")


def test_of_rows_that_are_kept_the_oldest_go_first() -> None:
    rows: dict[bytes, Any] = {b"%d" % number: number for number in range(5)}
    forget_oldest(rows, 5)
    assert len(rows) == 5
    forget_oldest(rows, 2)
    assert list(rows.values()) == [3, 4]


def test_what_a_malformed_request_was_read_for_does_not_outlive_it() -> None:
    work = Work(build_plan(12), EmptyStore(), UNIT, {})
    outlives = weakref.ref(work)
    gc.disable()  # whatever is in a cycle waits for it
    try:
        handle(work, record("adjustment-requests", REQUEST_VALUE | {"chargeAdjustment": "much"}))
        del work
        assert outlives() is None
    finally:
        gc.enable()


def test_a_malformed_request_takes_no_place_of_a_good_one(work: Work) -> None:
    handle(work, record("adjustment-requests", REQUEST_VALUE | {"chargeAdjustment": 0}))
    handle(work, record("adjustment-requests", REQUEST_VALUE, 5121))
    refused, applied = written(work, "adjustment-results")
    assert headers(refused)["remembered"] == "false"
    assert json.loads(applied.value)["status"] == "APPLIED"


@pytest.mark.parametrize("header", [b"\xff", b"", None, b"x" * 300])
def test_a_header_that_cannot_be_read_counts_as_absent(work: Work, header: bytes | None) -> None:
    noted = (("channel", header), ("batch", header))
    handle(work, record("adjustment-requests", REQUEST_VALUE, headers=noted))
    adjustment = json.loads(written(work, "business-transactions")[-1].value)
    assert (adjustment["channel"], adjustment["batch"]) == ("TOPIC", None)


def test_a_dead_letter_keeps_the_record_and_says_why(work: Work) -> None:
    handle(work, record("adjustment-requests", b"[]", headers=(("own", b"kept"),)))
    (dead,) = written(work, "dlq-adjustment-requests")
    assert (dead.key, dead.value, dead.timestamp) == (ACCOUNT.encode(), b"[]", AT_MS)
    assert headers(dead) == {
        "own": "kept",
        "dlq-topic": "adjustment-requests",
        "dlq-partition": str(UNIT),
        "dlq-offset": "5120",
        "dlq-code": "NOT_AN_OBJECT",
        "dlq-text": "The value is a JSON array, not an object.",
    }


def test_a_dead_letter_that_is_too_large_is_cut_and_says_so(work: Work) -> None:
    handle(work, record("adjustment-requests", b"x" * (5 << 20), headers=(("big", b"x" * 99999),)))
    (dead,) = written(work, "dlq-adjustment-requests")
    assert len(dead.value) == 3 << 20
    assert headers(dead)["dlq-truncated"] == "true"
    assert "big" not in headers(dead)


def test_a_key_that_is_too_large_is_cut_in_its_dead_letter(work: Work) -> None:
    handle(work, record("adjustment-requests", REQUEST_VALUE, key=b"x" * (5 << 20)))
    (dead,) = written(work, "dlq-adjustment-requests")
    assert len(dead.key) == 64 << 10
    assert headers(dead)["dlq-truncated"] == "true"


def test_a_record_that_is_too_large_to_be_sent_on_is_a_dead_letter(work: Work) -> None:
    other = next(key for key in (b"A", b"B", b"C") if partition_of(key, 12) != UNIT)
    handle(work, record("adjustment-requests", b"x" * (1 << 20), key=other))
    (dead,) = written(work, "dlq-adjustment-requests")
    assert headers(dead)["dlq-code"] == "WRONG_PARTITION"


def test_a_record_in_a_wrong_partition_is_sent_on_once(work: Work) -> None:
    other = next(key for key in (b"A", b"B", b"C") if partition_of(key, 12) != UNIT)
    handle(work, record("adjustment-requests", REQUEST_VALUE, key=other))
    (sent,) = written(work, "adjustment-requests", partition_of(other, 12))
    assert headers(sent) == {"found-at": f"adjustment-requests-{UNIT}-5120"}
    again = (("found-at", b"adjustment-requests-3-1"),)
    handle(work, record("adjustment-requests", REQUEST_VALUE, key=other, headers=again))
    (dead,) = written(work, "dlq-adjustment-requests")
    assert headers(dead)["dlq-code"] == "WRONG_PARTITION"


def test_a_request_that_names_another_account_than_its_key_is_a_dead_letter(work: Work) -> None:
    named = REQUEST_VALUE | {"account": {"refId": "ACC-2"}}
    handle(work, record("adjustment-requests", named))
    handle(work, record("adjustment-requests", named | {"user": 7}))
    codes = [headers(dead)["dlq-code"] for dead in written(work, "dlq-adjustment-requests")]
    assert codes == ["KEY_MISMATCH", "KEY_MISMATCH"]

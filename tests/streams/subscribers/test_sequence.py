"""A partition is read in its order, and not beyond a place where something is missing."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.headers import MESSAGE_CODE, SEQ
from streams.subscribers.images import Batch, Progress, digest_of
from streams.subscribers.sequence import enter, fault_of_last, fault_of_start
from tests.api.images import image_of
from tests.streams.subscribers.topic import Partition, record

NEW = Progress(0, 0)


def three() -> Partition:
    partition = Partition()
    for version in (1, 2, 3):
        partition.publish("account", version=version)
    return partition


def read(known: Progress, *records: Any) -> tuple[Batch, str | None]:
    batch = Batch()
    return batch, enter(batch, 0, known, records)


def test_records_are_read_to_the_end_if_nothing_is_missing() -> None:
    partition = three()
    batch, fault = read(NEW, *partition.records)
    assert [image.content.version for image in batch.images] == [1, 2, 3]
    last = partition.records[-1]
    assert (batch.positions, fault) == ({0: Progress(last.offset + 1, 3, digest_of(last))}, None)


@pytest.mark.parametrize(
    ("offered", "kept", "fault"),
    [
        ((0, 2), 1, "offset 3 has seq 3 where 2 comes next"),
        ((1, 2), 0, "offset 2 has seq 2 where 1 comes next"),
        ((0, 0, 1), 1, "offset 0 has seq 1 where 2 comes next"),
        ((0, 2, 1), 1, "offset 3 has seq 3 where 2 comes next"),
    ],
    ids=["dropped", "first dropped", "doubled", "swapped"],
)
def test_what_comes_before_a_fault_is_kept_and_nothing_after_it(
    offered: tuple[int, ...], kept: int, fault: str
) -> None:
    partition = three()
    batch, found = read(NEW, *(partition.records[place] for place in offered))
    assert (len(batch.images), found) == (kept, fault)
    assert batch.positions.get(0, NEW).seq == kept


def test_where_the_beginning_has_expired_any_number_may_come_first_but_not_second() -> None:
    partition = three()
    batch, fault = read(Progress(2, None), partition.records[1])
    assert (batch.positions[0].seq, fault) == (2, None)
    _, fault = read(batch.positions[0], partition.records[0])
    assert fault is not None


def test_a_record_that_is_not_the_engines_is_kept_aside_and_counts_for_nothing() -> None:
    partition = Partition()
    partition.publish("account")
    for seq in ((), ((SEQ, b"two"),), ((SEQ, "٢".encode()),), ((SEQ, b"9" * 5000),)):
        partition.append(record(image_of("account"), (MESSAGE_CODE, b"account"), *seq))
    partition.append(record(image_of("account"), (MESSAGE_CODE, b"account"), (SEQ, b"2")))

    batch, fault = read(NEW, *partition.records)

    assert (len(batch.images), len(batch.set_aside), fault) == (2, 4, None)
    assert batch.positions[0].seq == 2
    assert "the engine did not write it" in batch.set_aside[0].fault


@pytest.mark.parametrize(
    ("kind", "changes", "fault"),
    [
        ("account", {"version": "1"}, "Not readable as account"),
        ("account", {"state": "GONE"}, "Not readable as account"),
        ("chargeable-event", {"quantity": 2**80}, "Not readable as chargeable_event"),
        ("chargeable-event", {"quantity": 2**63}, "Not readable as chargeable_event"),
        ("account", {"externalId": "x" * 2001}, "A text in it is too long."),
        ("adjustment", {"user": "x" * 2001}, "A text in it is too long."),
        ("adjustment", {"requestedAt": "2026-02-30T00:00:00.000Z"}, "Its requestedAt is no time"),
        (
            "adjustment",
            {
                "effect": {
                    "taxExcludedAmount": -(2**63),
                    "taxAmount": 0,
                    "taxIncludedAmount": -(2**63),
                }
            },
            "Its effect is out of range.",
        ),
        ("adjustment", {"requestedAt": None}, "Its requestedAt is no time in UTC."),
        ("adjustment", {"requestedAt": "=1+1"}, "Its requestedAt is no time in UTC."),
        (
            "adjustment",
            {"effect": {"taxExcludedAmount": 1, "taxAmount": 1, "taxIncludedAmount": 1}},
            "Its effect does not add up.",
        ),
    ],
)
def test_an_image_that_is_not_as_its_schema_says_is_kept_aside(
    kind: str, changes: dict[str, Any], fault: str
) -> None:
    partition = Partition()
    partition.publish(kind, **changes)
    batch, _ = read(NEW, *partition.records)
    assert batch.images == []
    assert batch.set_aside[0].fault.startswith(fault)
    assert batch.positions[0].seq == 1


def test_a_comment_may_be_long() -> None:
    partition = Partition()
    partition.publish("adjustment", comment="\N{SNOWMAN}" * 1000)
    batch, _ = read(NEW, *partition.records)
    assert len(batch.images) == 1


def test_attributes_that_are_not_known_are_passed_over() -> None:
    partition = Partition()
    partition.publish("account", loyalty="GOLD")
    batch, _ = read(NEW, *partition.records)
    assert len(batch.images) == 1


def test_a_topic_that_has_another_record_where_the_last_was_is_not_read_on() -> None:
    partition = three()
    batch, _ = read(NEW, *partition.records[:2])
    known, (first, last, _) = batch.positions[0], partition.records
    assert fault_of_last(known, last) is None
    for other in (first, partition.records[2], replace(last, value=b"{}")):
        assert fault_of_last(known, other) == "offset 2 has not the record that was kept from there"


@pytest.mark.parametrize(
    ("known", "fault"),
    [(4, "all before 5 has expired"), (5, None), (9, None), (10, "the topic ends at 9")],
)
def test_a_store_that_does_not_go_on_from_what_the_topic_has_says_so(
    known: int, fault: str | None
) -> None:
    found = fault_of_start(Progress(known, 3), beginning=5, end=9)
    assert (found is None) if fault is None else (found is not None and fault in found)

"""Records whose header names are no text are read, without their headers."""

from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.header_names import _Records, accept_any_header_name


def batch(compression: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(
        2,
        compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=0,
        batch_size=1 << 20,
    )
    builder.append(0, 1000, b"k", b"v", [("channel", b"REST")])
    builder.append(1, 1001, b"k2", None, [("own", b"x"), ("\u00e9", None)])
    builder.append(2, 1002, None, b"v3", [])
    return bytes(builder.build())


def read(content: bytes) -> list[tuple[Any, ...]]:
    records, found = _Records(content), []
    while records.has_next():
        found += [
            (each.offset, each.timestamp, each.key, each.value, list(each.headers))
            for each in records.next_batch()
        ]
    return found


@pytest.mark.parametrize("compression", [0, 1, 2, 4])
def test_good_records_are_read_as_ever(compression: int) -> None:
    assert read(batch(compression) * 2) == 2 * [
        (0, 1000, b"k", b"v", [("channel", b"REST")]),
        (1, 1001, b"k2", None, [("own", b"x"), ("\u00e9", None)]),
        (2, 1002, None, b"v3", []),
    ]


def test_a_record_with_an_unreadable_name_loses_its_headers_and_its_neighbours_keep_theirs() -> (
    None
):
    assert read(batch().replace("\u00e9".encode(), b"\xff\xfe")) == [
        (0, 1000, b"k", b"v", [("channel", b"REST")]),
        (1, 1001, b"k2", None, []),
        (2, 1002, None, b"v3", []),
    ]


def test_consumers_of_this_process_read_so_once_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)  # put back afterwards
    accept_any_header_name()
    records = fetcher.MemoryRecords(batch())
    assert records.next_batch().base_offset == 0

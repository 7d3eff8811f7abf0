"""Whoever may write to the topics: what is not the engine's is passed over."""

from typing import Any

import pytest

from api.read_model import last_seq
from api.records import answer_of, enter_transaction
from api.rows import Rows
from schemas.headers import MESSAGE_CODE, REQUEST_ID, SEQ
from tests.api.images import a_record, image_of

CODE, NUMBER = (MESSAGE_CODE, b"chargeableEvent"), (SEQ, b"7")
RESULT = ((REQUEST_ID, b"1"), ("source", b"adjustment-requests-0-1"), ("state-seq", b"1"))


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"[]", b"{}", b'{"refId":1}', b"\0"])
@pytest.mark.parametrize("code", [b"account", b"chargeableEvent", b"adjustment", b"other", None])
def test_an_image_that_cannot_be_read_makes_no_rows(code: Any, value: Any) -> None:
    rows = Rows()
    enter_transaction(rows, a_record(value, (MESSAGE_CODE, code), NUMBER))
    assert rows == Rows()


def test_an_image_without_a_seq_is_not_the_engines() -> None:
    rows = Rows()
    enter_transaction(rows, a_record(image_of("chargeable-event"), CODE))
    enter_transaction(rows, a_record(image_of("chargeable-event"), CODE, (SEQ, b"one")))
    assert rows == Rows()


@pytest.mark.parametrize("value", [None, b"\xff", b"[]", b'{"status":1}'])
def test_a_result_that_cannot_be_read_answers_nobody(value: Any) -> None:
    assert answer_of(a_record(value, *RESULT)) is None


def test_records_of_others_do_not_count() -> None:
    ours, others = a_record(b"{}", CODE, NUMBER), a_record(b"{}", (SEQ, None))
    assert last_seq([ours, others], 3) == 7
    assert last_seq([others], 3) == 3

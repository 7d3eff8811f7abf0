"""Records of the two topics as what REST keeps of them."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from aiokafka.partitioner import DefaultPartitioner

from api.results import Answer
from api.store import Received
from schemas.forms import is_guid
from schemas.reading import MalformedRequest, Unreadable, read_request

_REF_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_partition_of = DefaultPartitioner()


def received_of(record: Any, partitions: int) -> Received | None:
    """Give the request in a record; None where no result will ever name this record.

    That is a dead letter, or a record on a wrong partition: the copy that the engine sends on is
    the request then.
    """
    key = record.key
    if key is None or not _REF_ID.fullmatch(key):
        return None
    if _own_partition(key, partitions) != record.partition:
        return None
    request = read_request(record.value)
    if isinstance(request, Unreadable):
        return None
    account = key.decode()
    if account_named(request) not in {None, account}:
        return None
    return Received(
        account=account,
        request_id=request.request_id,
        topic_offset=record.offset,
        chargeable_event_ref_id=request.chargeable_event_ref_id,
        requested_at=utc_text(record.timestamp),
    )


def answer_of(record: Any) -> Answer | None:
    """Give the result in a record; None where someone else than the engine wrote it."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    offset = headers.get("source", "").rpartition("-")[2]
    if record.key is None or not offset.isdecimal() or "requestId" not in headers:
        return None
    return Answer(
        account=record.key.decode(errors="replace"),
        request_id=headers["requestId"],
        source=headers["source"],
        offset=int(offset),
        value=record.value,
        is_replay=headers.get("replay") == "true",
        is_remembered=headers.get("remembered") != "false",
    )


def account_named(request: Any) -> str | None:
    """Give the account that a request names, well-formed or not."""
    if isinstance(request, MalformedRequest):
        return request.account_ref_id
    return request.account.ref_id if request.account else None


def canonical_id(request_id: str) -> str:
    """Give a requestId as it is kept: a GUID in small letters, anything else as it is."""
    return request_id.lower() if is_guid(request_id) else request_id


def utc_text(timestamp_ms: int) -> str:
    """Write a record's time as `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    seconds, milliseconds = divmod(timestamp_ms, 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


@lru_cache(maxsize=100_000)
def _own_partition(key: bytes, partitions: int) -> int:
    return int(_partition_of(key, range(partitions), ()))

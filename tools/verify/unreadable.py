"""Judges by a reading of its own why a record of an input could not be read."""

import json
import re
from typing import Any

from tools.verify.log import Record
from tools.verify.topics import REQUESTS
from tools.verify.upsert_form import why_unfit

BYTES_MAX = 1 << 20
DIGITS_MAX, HUGE = 20, 10**20
_REF_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")


class NotJsonError(ValueError):
    """The bytes are not JSON as the contract takes it."""


def why_unreadable(record: Record, *, is_at_home: bool) -> str | None:
    """Give the code of a record's dead letter, "" for none; None where it is too deep to judge."""
    if record.key is None:
        return "NO_KEY"
    if not _REF_ID.fullmatch(record.key):
        return "INVALID_KEY"
    if not is_at_home:
        return "WRONG_PARTITION"
    return _why_not_taken(record.topic, record.value, record.key.decode())


def read_strictly(value: bytes) -> Any:
    """Read JSON without doubled keys, NaN and halves of surrogate pairs.

    Raises NotJsonError; RecursionError where it is nested deeper than this reader goes.
    """
    if len(value) > BYTES_MAX:
        raise NotJsonError
    try:
        text = value.decode()
        content = _decode(text)
        if "\\u" in text:  # only so can half of a surrogate pair come in
            json.dumps(content, ensure_ascii=False).encode()
    except ValueError as error:
        raise NotJsonError from error
    return content


def _why_not_taken(topic: str, value: bytes | None, key: str) -> str | None:
    if value is None:
        return "NO_VALUE"
    try:
        content = read_strictly(value)
    except NotJsonError:
        return "NOT_JSON"
    except RecursionError:
        return None
    return why_unclaimed(content, key) if topic == REQUESTS else why_unfit(topic, content, key)


def why_unclaimed(content: Any, key: str) -> str:
    """Give the code of the dead letter of what is JSON; "" for a request."""
    if not isinstance(content, dict):
        return "NOT_AN_OBJECT"
    request_id, account = content.get("requestId"), content.get("account")
    if not isinstance(request_id, str) or not request_id:
        return "NO_REQUEST_ID"
    named = account.get("refId") if isinstance(account, dict) else None
    return "KEY_MISMATCH" if isinstance(named, str) and named != key else ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise NotJsonError
    return content


def _integer(digits: str) -> int:
    if len(digits) <= DIGITS_MAX:
        return int(digits)
    return -HUGE if digits.startswith("-") else HUGE


def _constant(_name: str) -> None:
    raise NotJsonError


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant
).decode

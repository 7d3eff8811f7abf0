"""Reads upserts by the published schemas, and by what these say in words only."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]  # it ships no types

from tools.verify.topics import ACCOUNTS, EVENTS

_PUBLISHED = {ACCOUNTS: "account-upsert.json", EVENTS: "rated-chargeable-event.json"}


def why_unfit(topic: str, content: Any, key: str) -> str:
    """Give the code of the dead letter of what is JSON; "" for an upsert of this account."""
    if not isinstance(content, dict):
        return "NOT_AN_OBJECT"
    if not _form_of(topic).is_valid(content) or (topic == EVENTS and not _is_chargeable(content)):
        return "INVALID_UPSERT"
    account = content if topic == ACCOUNTS else content["account"]
    return "KEY_MISMATCH" if account["refId"] != key else ""


def _is_chargeable(event: dict[str, Any]) -> bool:
    """Whether amounts add up and times are of the calendar, in years that UTC can express."""
    amounts, period = event["original"], event["billingPeriod"]
    without, tax, total = (
        amounts[name] for name in ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
    )
    times = (event["eventDate"], period["start"], period["end"])
    return without + tax == total and all(map(_is_instant, times))


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _is_integer(_checker: Any, value: object) -> bool:
    return type(value) is int  # JSON Schema takes 1.0 for one; readers of money do not


def _match(
    _validator: Any, pattern: str, text: object, _schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Compare as other languages do: `$` does not pass over a line's end."""
    if isinstance(text, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), text):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


_Form = extend(
    Draft202012Validator,
    {"pattern": _match},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@cache
def _form_of(topic: str) -> Any:
    published = files("schemas") / "published" / _PUBLISHED[topic]
    return _Form(json.loads(published.read_text(encoding="utf-8")))

"""The published schema of a request takes what is taken, and refuses what is malformed."""

import json
import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types

from schemas.messages import json_schema
from tests.shapes import GOOD, WRONG, value_of

VALIDATOR = jsonschema.Draft202012Validator(json_schema("adjustment-request"))


def content_of(row: dict[str, Any] | bytes) -> Any:
    """Give what is written, unknown attributes of null left out: the reader takes them too."""
    content = json.loads(value_of(row))
    known = {*VALIDATOR.schema["properties"], "refId"}
    return _without_nulls_but(known, content)


def is_beyond_schema(value: bytes) -> bool:
    """JSON Schema knows no difference of 1.0 and 1, and Python's regexes end before a line feed."""
    return bool(re.search(rb"[0-9]\\.0[,}]|\\\\n\"|[0-9][eE]", value))


def test_what_is_taken_fits_the_schema() -> None:
    refused = [shows for shows, row in GOOD.items() if not VALIDATOR.is_valid(content_of(row))]
    assert refused == []


def test_what_is_malformed_does_not_fit_the_schema() -> None:
    taken = [
        shows
        for shows, (row, _) in WRONG.items()
        if not is_beyond_schema(value_of(row)) and VALIDATOR.is_valid(content_of(row))
    ]
    assert taken == []


def _without_nulls_but(known: set[str], content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    return {
        name: _without_nulls_but(known, part)
        for name, part in content.items()
        if part is not None or name in known
    }

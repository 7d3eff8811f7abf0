"""Reads JSON that may be anything: to its content, or to one sentence on what is wrong with it."""

import json
import re
from typing import Any

BYTES_MAX = 1024 * 1024
DIGITS_MAX = 20  # of an integer that is kept; a longer one is far out of every range
INTEGER_KEPT = 10**20  # in its place
LEVELS_KEPT = 4  # of a text nested too deep for the parser; what is inside is checked only
FLOAT_MAX = 1e308

_MARKS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class NotJsonError(ValueError):
    """The bytes are not JSON as this project takes it; the text says why."""


def parse_json(value: bytes, most: int = BYTES_MAX) -> Any:
    """Read strictly: UTF-8, no NaN, no lone surrogate, no doubled key. Raises NotJsonError."""
    if len(value) > most:
        message = f"The value is longer than {most >> 20} MiB."
        raise NotJsonError(message)
    try:
        text = value.decode()
        content = _parse_text(text)
    except UnicodeDecodeError as error:
        message = f"The value is not UTF-8 at byte {error.start}."
        raise NotJsonError(message) from error
    except json.JSONDecodeError as error:
        message = f"The value is not JSON: {error.msg} at character {error.pos}."
        raise NotJsonError(message) from error
    if "\\u" in text and any(match["lone"] for match in _ESCAPES.finditer(text)):
        message = "The value has half of a surrogate pair."
        raise NotJsonError(message)
    return content


def shallow(content: Any, levels: int = 2) -> Any:
    """Give the same with what is nested deeper left out; types stay what they are."""
    if isinstance(content, dict):
        return {key: shallow(part, levels - 1) for key, part in content.items()} if levels else {}
    return [] if isinstance(content, list) else content


def _parse_text(text: str) -> Any:
    try:
        return _decode(text)
    except RecursionError:
        return _parse_deep(text)


def _parse_deep(text: str) -> Any:
    """Parse from the innermost brackets outwards, one pair at a time."""
    pieces: list[list[str]] = [[]]
    start = 0
    for match in _MARKS.finditer(text):
        mark = match.group()
        if mark in "[{":
            pieces[-1].append(text[start : match.start()])
            pieces.append([])
            start = match.start()
        elif mark in "]}" and len(pieces) > 1:
            pair = "".join(pieces.pop()) + text[start : match.end()]
            _decode(pair)
            pieces[-1].append(pair if len(pieces) <= LEVELS_KEPT else pair[0] + pair[-1])
            start = match.end()
    if len(pieces) > 1:
        message = "a bracket is not closed"
        raise json.JSONDecodeError(message, text, len(text))
    return _decode("".join(pieces[0]) + text[start:])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        message = "An object has the same key twice."
        raise NotJsonError(message)
    return content


def _integer(digits: str) -> int:
    if len(digits) <= DIGITS_MAX:
        return int(digits)
    return -INTEGER_KEPT if digits.startswith("-") else INTEGER_KEPT


def _float(digits: str) -> float:
    return max(-FLOAT_MAX, min(FLOAT_MAX, float(digits)))


def _constant(name: str) -> None:
    message = f"The value has {name}, which is not JSON."
    raise NotJsonError(message)


_decode = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
).decode

"""Query parameters: read into values, or all that is wrong with them at once."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.responses import Response

from api.problems import Mishap, problem
from api.records import microseconds_of
from schemas.adjustment_result import Fault
from schemas.faults import FAULTS_MAX, QUOTED_MAX
from schemas.forms import AMOUNT_MAX, CURRENCY_PATTERN, INSTANT_PATTERN, REF_ID_PATTERN
from schemas.refusals import Refusal

# No control character, and no byte that is not UTF-8: it was read as half a surrogate pair.
_LETTERS = "[^\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]"
_INTEGER = re.compile("0|-?[1-9][0-9]*")
_DIGITS_MAX = 18
_LADDER = list(Refusal)


class MisfitError(Exception):
    """A text is not what a parameter takes."""

    def __init__(self, code: Refusal) -> None:
        """Say in what way."""
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """How a parameter is read, and what a caller is told that it must be."""

    read: Callable[[str], Any]  # raises MisfitError
    expected: str
    schema: Mapping[str, Any] = field(hash=False)


def matching(pattern: str, expected: str) -> Parameter:
    """Take a text of this form."""
    compiled = re.compile(pattern)

    def read(text: str) -> str:
        if not compiled.fullmatch(text):
            raise MisfitError(Refusal.INVALID_FORMAT)
        return text

    schema = {"type": "string", "pattern": f"^{pattern}$"}
    return Parameter(read=read, expected=expected, schema=schema)


def text(length_max: int) -> Parameter:
    """Take any text of some length without control characters."""
    return matching(
        f"{_LETTERS}{{1,{length_max}}}",
        f"a text of 1 to {length_max} characters, none of them a control character",
    )


def integer(least: int, most: int) -> Parameter:
    """Take an integer in these limits, in ASCII digits and nothing else."""

    def read(text: str) -> int:
        if not _INTEGER.fullmatch(text):
            raise MisfitError(Refusal.INVALID_TYPE)
        if len(text) > _DIGITS_MAX or not least <= int(text) <= most:
            raise MisfitError(Refusal.INVALID_FORMAT)
        return int(text)

    expected = f"an integer from {least} to {most}"
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Parameter(read=read, expected=expected, schema=schema)


def one_of(*words: StrEnum) -> Parameter:
    """Take one of these words."""
    values = [word.value for word in words]

    def read(text: str) -> str:
        if text not in values:
            raise MisfitError(Refusal.INVALID_ENUM)
        return text

    schema = {"type": "string", "enum": values}
    return Parameter(read=read, expected=" or ".join(values), schema=schema)


def _microseconds(text: str) -> int:
    """Give a time as it is kept."""
    try:
        if re.fullmatch(INSTANT_PATTERN, text):
            return microseconds_of(text)
    except (ValueError, OverflowError):
        pass  # a day that no calendar has
    raise MisfitError(Refusal.INVALID_FORMAT)


REF_ID = matching(
    REF_ID_PATTERN, "a text of 1 to 64 letters, digits, dots, underscores, colons or hyphens"
)
CURRENCY = matching(CURRENCY_PATTERN, "three capital letters")
AMOUNT = integer(0, AMOUNT_MAX)
INSTANT = Parameter(
    read=_microseconds,
    expected="a time with offset, such as 2026-11-01T00:00:00Z or 2026-11-01T00:00:00%2B01:00"
    " (a + stands for a space in an address)",
    schema={"type": "string", "format": "date-time", "pattern": f"^{INSTANT_PATTERN}$"},
)


def read_parameters(
    query: bytes, known: Mapping[str, Parameter]
) -> dict[str, Any] | tuple[Fault, ...]:
    """Give the value of each parameter in a query, or all its faults; 20 at most."""
    given = given_in(query)
    faults = []
    for name, times in Counter(name for name, _ in given).items():
        if name not in known:
            what = f"is no parameter here; known: {', '.join(known) or 'none'}"
            faults.append(_fault(Refusal.UNKNOWN_ATTRIBUTE, name, what))
        elif times > 1:
            faults.append(_fault(Refusal.INVALID_FORMAT, name, "must be given once"))
    broken, values = {fault.field for fault in faults}, {}
    for name, text in given:
        if name in known and name not in broken:
            try:
                values[name] = known[name].read(text)
            except MisfitError as misfit:
                faults.append(_fault(misfit.code, name, f"must be {known[name].expected}"))
    in_order = sorted(faults, key=lambda fault: (_LADDER.index(fault.code), fault.field))
    return tuple(in_order[:FAULTS_MAX]) if faults else values


def given_in(query: bytes) -> list[tuple[str, str]]:
    """Give the names and texts in a query, in their order."""
    read = query.decode("utf-8", "surrogateescape")
    return parse_qsl(read, keep_blank_values=True, errors="surrogateescape")


def fault_of(name: str, known: Mapping[str, Parameter]) -> Fault:
    """Give the fault of a parameter that has the right form and yet means nothing."""
    return _fault(Refusal.INVALID_FORMAT, name, f"must be {known[name].expected}")


def parameter_problem(faults: tuple[Fault, ...]) -> Response:
    """Answer with all that is wrong with the parameters."""
    detail = " ".join(fault.message for fault in faults)
    return problem(Mishap.BAD_REQUEST, detail, errors=msgspec.to_builtins(faults))


def _fault(code: Refusal, name: str, what: str) -> Fault:
    shown = name.encode(errors="replace").decode()
    shown = shown if len(shown) <= QUOTED_MAX else shown[:QUOTED_MAX] + "…"
    quoted = json.dumps(shown, ensure_ascii=False) if code is Refusal.UNKNOWN_ATTRIBUTE else shown
    return Fault(code=code, field=shown, message=f"{quoted} {what}.")

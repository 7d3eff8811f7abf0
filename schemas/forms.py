"""The forms that texts and numbers of messages take, and the base of what comes in."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

AMOUNT_MAX = 10**15  # micro-units: no amount and no sum of amounts goes beyond
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
RATE_MAX = 1_000_000  # basis points

GUID_PATTERN = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
REF_ID_LETTERS = "[A-Za-z0-9._:-]"
REF_ID_PATTERN = REF_ID_LETTERS + "{1,64}"
CURRENCY_PATTERN = "[A-Z]{3}"
INSTANT_PATTERN = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


class Explained(StrEnum):
    """An enum each of whose members says what it means; the texts are published."""

    explanation: str

    def __new__(cls, value: str, explanation: str) -> Self:
        """Make a member from its wire name and its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member

    def __init_subclass__(cls) -> None:
        """Write the members' meanings into the text that is published for the enum."""
        super().__init_subclass__()
        members = " ".join(f"{member.value}: {member.explanation}" for member in cls)
        cls.__doc__ = f"{cls.__doc__} {members}"


class Incoming(BaseModel):
    """What others send us: types are strict, wire names in camelCase."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel)


def _is_instant(text: str) -> str:
    """Refuse days that no calendar has, and times that UTC cannot express."""
    try:
        datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError as error:
        message = "the time is outside the years 1 to 9999"
        raise ValueError(message) from error
    return text


RefId = Annotated[str, StringConstraints(pattern=f"^{REF_ID_PATTERN}$")]
RequestId = Annotated[str, StringConstraints(pattern=f"^{GUID_PATTERN}$", to_lower=True)]
Currency = Annotated[str, StringConstraints(pattern=f"^{CURRENCY_PATTERN}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Instant = Annotated[
    str, StringConstraints(pattern=f"^{INSTANT_PATTERN}$"), AfterValidator(_is_instant)
]
MicroAmount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]

_GUID = re.compile(GUID_PATTERN)


def is_guid(text: str) -> bool:
    """Whether a text has the form of a GUID, in 36 characters."""
    return _GUID.fullmatch(text) is not None

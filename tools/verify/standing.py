"""Says how far each store could be compared: typed, for programs, and in words for a person."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class UnreadableError(Exception):
    """A store is there and cannot be read; the text says where and why."""


class Kind(StrEnum):
    """What keeps a store."""

    WORKER = "worker"
    FINANCE = "finance"
    WAREHOUSE = "warehouse"


class Standing(StrEnum):
    """How far a store could be compared."""

    WHOLE = "whole"  # up to the end of its topics
    BEHIND = "behind"  # as far as it says that it has read; the rest is to come
    EMPTY = "empty"  # there is a store, and nothing was written to it yet
    ABSENT = "absent"  # there is none
    FOREIGN = "foreign"  # of another cluster
    DISTRUSTED = "distrusted"  # its worker died while it looked for damage, and will delete it
    UNREADABLE = "unreadable"  # it is there and cannot be read, so that nothing is proven of it


@dataclass(frozen=True)
class Looked:
    """A store, and how far it could be compared; `text` says it to a person, where it must be."""

    kind: Kind
    name: str
    standing: Standing
    behind: int = 0  # records
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give it for a program."""
        return asdict(self)

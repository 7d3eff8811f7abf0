"""What was checked, on how much, and what does not agree: a few lines, and the count of all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tools.verify.standing import Kind, Looked

LINES_MAX = 20


@dataclass
class Check:
    """One part of an invariant."""

    name: str
    rows: int = 0
    disagreements: int = 0
    invariant: str = ""
    _lines: list[str] = field(default_factory=list)

    def say(self, line: str | Callable[[], str]) -> None:
        """Note a disagreement; what is not shown is not put into words either."""
        self.disagreements += 1
        if len(self._lines) < LINES_MAX:
            self._lines.append(line if isinstance(line, str) else line())

    def lines(self) -> Iterator[str]:
        """Give the lines that are shown."""
        yield from self._lines
        if more := self.disagreements - len(self._lines):
            yield f"and {more} more of: {self.name}."


class Report:
    """What one store was found to be."""

    def __init__(self, kind: Kind, store: str, invariant: str = "") -> None:
        """Begin with the name of the store and the invariant that it must keep."""
        self.kind, self.store = kind, store
        self.looked: Looked | None = None  # once all was read
        self.checks: list[Check] = []
        self.notes: list[str] = []
        self._invariant = invariant

    def check(self, name: str) -> Check:
        """Begin a check."""
        self.checks.append(Check(f"{self.store}: {name}", invariant=self._invariant))
        return self.checks[-1]

    @property
    def disagreements(self) -> list[str]:
        """All lines that are shown."""
        return [line for check in self.checks for line in check.lines()]

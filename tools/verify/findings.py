"""What a whole run found: for a person as a table, for a program as JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from tools.verify.checks import Check, Report
from tools.verify.standing import Looked, Standing


@dataclass
class Findings:
    """All checks, what is said beside them, and how much there was."""

    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stores: list[Looked] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)

    def add(self, reports: Iterable[Report]) -> None:
        """Take in what stores were found to be."""
        for report in reports:
            self.checks += report.checks
            self.notes += report.notes
            self.stores += [report.looked] if report.looked else []

    @property
    def disagreements(self) -> int:
        """How many there are in all."""
        return sum(check.disagreements for check in self.checks)

    @property
    def lines(self) -> list[str]:
        """All that is shown of them."""
        return [line for check in self.checks for line in check.lines()]

    @property
    def unreadable(self) -> list[str]:
        """What is said of stores that are there and could not be read."""
        return self._said(is_readable=False)

    @property
    def is_agreed(self) -> bool:
        """Whether everything that was to be checked could be, and agrees."""
        return not self.disagreements and not self.unreadable

    def as_json(self) -> dict[str, Any]:
        """Give the report for a program."""
        return {
            "agrees": self.is_agreed,
            "checks": [
                {
                    "id": check.invariant,
                    "name": check.name,
                    "rows": check.rows,
                    "disagreements": check.disagreements,
                    "lines": [*check.lines()],
                }
                for check in self.checks
            ],
            "stores": [looked.as_json() for looked in self.stores],
            "totals": {**self.totals, "disagreements": self.disagreements},
            "notes": [*self._said(is_readable=True), *self.notes, *self.unreadable],
        }

    def _said(self, *, is_readable: bool) -> list[str]:
        return [
            looked.text
            for looked in self.stores
            if looked.text and (looked.standing is not Standing.UNREADABLE) == is_readable
        ]


def show(findings: Findings, console: Console) -> None:
    """Print what was checked, on how much, and the disagreements."""
    table = Table(title=", ".join(f"{count} {what}" for what, count in findings.totals.items()))
    table.add_column("")
    table.add_column("what was checked")
    table.add_column("rows", justify="right")
    table.add_column("disagreements", justify="right")
    for check in findings.checks:
        counts = (str(check.rows), str(check.disagreements))
        table.add_row(check.invariant, check.name, *counts)
    console.print(table)
    for line in (*findings.lines, *findings.as_json()["notes"]):
        console.print(line, markup=False, soft_wrap=True)

"""Figures beside what is asked of them, and which of it they reach."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

MISSED = "MISSED"
WHOLE_FROM = 100  # figures from here on are shown without decimals


class Limits(NamedTuple):
    """What is asked of a figure: the gate, then what is aimed at, then more than that."""

    gate: float
    target: float | None = None
    stretch: float | None = None
    is_most: bool = False  # less is better

    def reached(self, value: float) -> str:
        """Name the furthest of them that is reached."""
        reached = MISSED
        for name, limit in zip(("gate", "target", "stretch"), self[:3], strict=True):
            if limit is not None and (value <= limit if self.is_most else value >= limit):
                reached = name
        return reached

    def __str__(self) -> str:
        """Give all that there are."""
        limits = ", ".join(f"{limit:,g}" for limit in self[:3] if limit is not None)
        return f"{'≤' if self.is_most else '≥'} {limits}"


class Figure(NamedTuple):
    """What was measured in each round, lowest first, and what is asked of their median."""

    of: str
    values: Sequence[float]
    limits: Limits | None = None

    @property
    def reached(self) -> str:
        """What is reached, nothing where nothing is asked."""
        return self.limits.reached(median(self.values)) if self.limits else ""

    def __str__(self) -> str:
        """Give the median, and of several the lowest and the highest."""
        middle, low, high = map(_rounded, (median(self.values), self.values[0], self.values[-1]))
        return f"{middle} ({low}-{high})" if len(self.values) > 1 else middle


def figures_table(figures: Iterable[Figure]) -> Table:
    """Give a table of them."""
    table = Table(title="Asked and reached: median (lowest to highest), or a single run")
    table.add_column("of")
    for column in ("figure", "gate, target, stretch"):
        table.add_column(column, justify="right")
    table.add_column("met")
    for each in figures:
        table.add_row(each.of, str(each), str(each.limits or ""), marked(each.reached))
    return table


def marked(reached: str) -> Text:
    """Colour what is reached."""
    return Text(reached, style="bold red" if reached == MISSED else "green")


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if value >= WHOLE_FROM else f"{value:.2f}"

"""Prints ratios of two runs of one round, beside what is asked of them."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from rich.table import Table


class Ratio(NamedTuple):
    """A ratio in each round, lowest first, and what is asked of it: gate and target."""

    of: str
    values: Sequence[float]
    limits: str = ""


def ratios_table(ratios: Sequence[Ratio]) -> Table:
    """Give a table of them."""
    table = Table(title="Ratios of one round: median (lowest to highest)")
    table.add_column("of")
    for column in ("ratio", "gate, target"):
        table.add_column(column, justify="right", no_wrap=True)
    for ratio in ratios:
        table.add_row(ratio.of, spread(ratio.values), ratio.limits)
    return table


def spread(values: Sequence[float]) -> str:
    """Give the median, and the lowest and the highest of values in their order."""
    return f"{median(values):.2f} ({values[0]:.2f}-{values[-1]:.2f})"

"""Goes through the steps of a protocol with answers that a test gives."""

from collections.abc import Generator, Mapping
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


def walk(
    steps: Generator[Any, Any, Outcome], answers: Mapping[type, Any] | None = None
) -> tuple[list[Any], Outcome]:
    """Give all steps, and what they come to."""
    seen: list[Any] = []
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            return seen, end.value
        seen.append(step)
        answer = (answers or {}).get(type(step))


def kinds(steps: list[Any]) -> list[str]:
    """Give the name of each step."""
    return [type(step).__name__ for step in steps]

"""What becomes of a fault that was drawn: done, or not."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Done:
    """It took place; recovery counts from its end."""

    details: str
    ended_at: float = field(default_factory=time.monotonic)


class NotDoneError(Exception):
    """It did not take place, and is not counted; the text says why."""

"""Remembers offsets, of which nearly each is greater than the one before, in eight bytes each."""

from array import array
from bisect import bisect_left


class Seen:
    """A set of offsets."""

    def __init__(self) -> None:
        """Begin with none."""
        self._grown = array("q")
        self._late: set[int] = set()

    def __len__(self) -> int:
        """Count them."""
        return len(self._grown) + len(self._late)

    def __contains__(self, offset: int) -> bool:
        """Whether it was added."""
        place = bisect_left(self._grown, offset)
        is_grown = place < len(self._grown) and self._grown[place] == offset
        return is_grown or offset in self._late

    def add(self, offset: int) -> bool:
        """Add it; tell whether it is new."""
        if not self._grown or offset > self._grown[-1]:
            self._grown.append(offset)
            return True
        if offset in self:
            return False
        self._late.add(offset)
        return True

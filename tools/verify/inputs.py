"""Follows one input of one partition number while what came of it is read."""

from collections.abc import Callable, Iterator

from tools.verify.log import Record
from tools.verify.seen import Seen

MISSED_MAX = 10_000  # records without an end whose contents are kept


class Input:
    """What came of a record comes in the order of the records, or late where something is wrong."""

    def __init__(self, records: Iterator[Record], ends_alone: Callable[[Record], bool]) -> None:
        """Begin before the first; `ends_alone` tells of records that nothing is published of."""
        self.count = 0
        self.answered = Seen()
        self._records, self._ends_alone = records, ends_alone
        self._ahead = next(records, None)
        self._missed: dict[int, Record] = {}
        self._lost = 0

    def take(self, offset: int) -> Record | None:
        """Give the record that something came of, the first time that something did."""
        found = None
        while self._ahead is not None and self._ahead.offset <= offset:
            passed = self._step()
            if passed.offset == offset:
                found = passed
            elif not self._ends_alone(passed):
                self._missed[passed.offset] = passed
        while len(self._missed) > MISSED_MAX:
            del self._missed[next(iter(self._missed))]
            self._lost += 1
        is_first = self.answered.add(offset)
        found = found or self._missed.pop(offset, None)
        return found if is_first else None

    def missed(self) -> tuple[list[Record], int]:
        """Give records that were passed and came to no end, and how many more there are."""
        return [*self._missed.values()], self._lost

    def rest(self) -> Iterator[Record]:
        """Give what stands after the last record that something came of, and did not end."""
        while self._ahead is not None:
            record = self._step()
            if not self._ends_alone(record):
                yield record

    def _step(self) -> Record:
        assert self._ahead is not None
        passed, self._ahead = self._ahead, next(self._records, None)
        self.count += 1
        return passed

"""Proves from numbers and keys alone that no record is missing, doubled or misplaced."""

from tools.verify.log import Record, murmur2


class Placing:
    """The `seq` of each partition runs 1, 2, 3, and each key is in its own partition."""

    def __init__(self, partitions: dict[str, int]) -> None:
        """Begin with the partition count of each topic."""
        self.disagreements: list[str] = []
        self.checked = 0
        self._partitions = partitions
        self._last: dict[tuple[str, int], int] = {}
        self._home: dict[bytes, int] = {}

    def enter_output(self, record: Record) -> None:
        """Check the number and the place of one record that the engine wrote."""
        self.checked += 1
        place = (record.topic, record.partition)
        expected = self._last.get(place, 0) + 1
        seq = record.headers.get("seq", "")
        if seq != str(expected):
            self.disagreements.append(
                f"{record.address}: seq is {seq or 'missing'}, {expected} comes next in "
                f"partition {record.partition} of {record.topic}."
            )
        self._last[place] = int(seq) if seq.isdecimal() else expected
        if not self.is_at_home(record):
            self.disagreements.append(f"{record.address}: the key belongs to another partition.")

    def is_at_home(self, record: Record) -> bool:
        """Whether the record is in the partition of its key."""
        if record.key is None:
            return False
        if record.key not in self._home:
            self._home[record.key] = murmur2(record.key)
        return self._home[record.key] % self._partitions[record.topic] == record.partition

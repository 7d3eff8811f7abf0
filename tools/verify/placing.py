"""Proves from numbers and keys alone that no output is missing, doubled or misplaced."""

from tools.verify.checks import Check
from tools.verify.log import Record, murmur2
from tools.verify.rows import seq_of
from tools.verify.topics import OUTPUTS

KEYS_MAX = 200_000  # whose home is remembered


class Homes:
    """In which partition each key belongs."""

    def __init__(self, partitions: int) -> None:
        """Begin with the partition count of all topics."""
        self._partitions = partitions
        self._home: dict[bytes, int] = {}

    def of(self, key: bytes) -> int:
        """Give the partition of a key."""
        if key not in self._home:
            if len(self._home) > KEYS_MAX:
                self._home.clear()
            self._home[key] = murmur2(key) % self._partitions
        return self._home[key]

    def has(self, record: Record) -> bool:
        """Whether the record is in the partition of its key."""
        return record.key is not None and self.of(record.key) == record.partition


class Placing:
    """The `seq` of each output of a partition number runs 1, 2, 3, and each key is at home."""

    def __init__(self, check: Check, homes: Homes) -> None:
        """Begin before the first record of each output."""
        self.last = dict.fromkeys(OUTPUTS, 0)
        self._check, self._homes = check, homes

    def enter(self, record: Record) -> bool:
        """Check number and place; tell whether the engine numbered it at all."""
        self._check.rows += 1
        expected = self.last[record.topic] + 1
        seq = seq_of(record)
        if seq != expected:
            self._check.say(
                f"{record.address}: seq is {record.headers.get('seq') or 'missing'}, {expected} "
                f"comes next in partition {record.partition} of {record.topic}."
            )
        if seq is None:
            return False
        self.last[record.topic] = seq
        if not self._homes.has(record):
            self._check.say(f"{record.address}: the key belongs to another partition.")
        return True

"""Records found in a wrong partition and their copies in the right one: each has one, the same."""

from array import array
from collections import Counter
from collections.abc import Iterator

from tools.audit.packing import digest
from tools.verify.log import Record

_BYTES = 8  # of a digest that is kept
_Place = tuple[str, int, int]  # topic, where it was found, where it belongs


class SentOn:
    """Of each a number and eight bytes: a producer may place nine of ten records wrongly."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: Counter[tuple[str, int]] = Counter()
        self._strays: dict[_Place, array[int]] = {}
        self._copies: dict[_Place, array[int]] = {}

    def stray(self, record: Record, home: int) -> None:
        """Enter a record that is to be sent on."""
        self._found[record.topic, record.partition] += 1
        place = (record.topic, record.partition, home)
        self._strays.setdefault(place, array("Q")).extend((record.offset, _digest(record)))

    def copy(self, record: Record) -> None:
        """Enter a record that says where it was found; anyone may say so."""
        topic, *numbers = record.headers["found-at"].rsplit("-", 2)
        if topic == record.topic and all(number.isdecimal() for number in numbers):
            place = (topic, int(numbers[0]), record.partition)
            entry = (int(numbers[1]), _digest(record))
            self._copies.setdefault(place, array("Q")).extend(entry)

    def __len__(self) -> int:
        """Count the records that are to be sent on."""
        return self._found.total()

    def of(self, topic: str, number: int) -> int:
        """Count those of one partition."""
        return self._found[topic, number]

    def disagreements(self) -> Iterator[tuple[str, str]]:
        """Say, with its topic, which record was not sent on once as it is."""
        for place, strays in self._strays.items():
            copies = self._copies.get(place, array("Q"))
            same = Counter(zip(copies[::2], copies[1::2], strict=True))
            for offset, content in zip(strays[::2], strays[1::2], strict=True):
                if (times := same[offset, content]) != 1:
                    topic, number, home = place
                    yield topic, _disagreement(f"{topic}-{number}-{offset}", home, times)


def _disagreement(address: str, home: int, times: int) -> str:
    return (
        f"{address}: was found in a wrong partition, and stands in the right one, {home}, {times} "
        "times as it is; it must be once."
    )


def _digest(record: Record) -> int:
    return int.from_bytes(digest([record.key, record.value])[:_BYTES], "big")

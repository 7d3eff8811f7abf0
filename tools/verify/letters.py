"""Dead letters, by the record that each was made of."""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.audit.packing import digest
from tools.verify.checks import Check
from tools.verify.conflicts import Conflicts
from tools.verify.log import Record
from tools.verify.topics import REQUESTS
from tools.verify.unreadable import why_unreadable


@dataclass(frozen=True, slots=True)
class Letter:
    """What matters of a dead letter."""

    address: str
    code: str
    bytes_: bytes
    is_cut: bool


class Letters:
    """The dead letters of one input of one partition number."""

    def __init__(
        self, place: tuple[str, int], records: Iterable[Record], conflicts: Conflicts, check: Check
    ) -> None:
        """Read all of them: there are few."""
        self.count = 0
        self.have_expired = False  # the oldest; what they were of may still be there
        self._topic, number = place
        self._conflicts, self._check = conflicts, check
        self._letters: dict[int, list[Letter]] = {}
        for record in records:
            self._enter(record, number)

    def take(self, record: Record, *, is_at_home: bool) -> bool:
        """Whether the record was put aside; say what is wrong with how it was."""
        letters = self._letters.pop(record.offset, [])
        for letter in letters[1:]:
            self._check.say(
                f"{record.address}: is put aside as {letters[0].address} and again as "
                f"{letter.address}."
            )
        for letter in letters[:1]:
            if not letter.is_cut and letter.bytes_ != _bytes(record):
                self._check.say(
                    f"{letter.address}: key or value differ from {record.address}, which it is of."
                )
            expected = self._why(record, letter, is_at_home=is_at_home)
            if expected is not None and letter.code != expected:
                self._check.say(
                    f"{letter.address}: {record.address} was put aside as {letter.code}, but "
                    f"{expected or 'nothing'} is wrong with it."
                )
        return bool(letters) or self._has_expired(record, is_at_home=is_at_home)

    def _has_expired(self, record: Record, *, is_at_home: bool) -> bool:
        """Whether its dead letter may have been there; a conflict cannot be told any more."""
        is_expired = self.have_expired and (
            self._topic != REQUESTS or why_unreadable(record, is_at_home=is_at_home) != ""
        )
        self.count += is_expired
        return is_expired

    def _why(self, record: Record, letter: Letter, *, is_at_home: bool) -> str | None:
        why = why_unreadable(record, is_at_home=is_at_home)
        if why or letter.code not in Conflicts.CODES or self._topic == REQUESTS:
            return why
        return self._conflicts.why(self._topic, record.value)

    def strays(self, begin: int) -> None:
        """Say which dead letters are of no record; those before the topic's beginning may be."""
        for offset, letters in self._letters.items():
            if offset >= begin:
                where = f"offset {offset} of {self._topic}"
                self._check.say(f"{letters[0].address}: is of {where}, where nothing is.")

    def _enter(self, record: Record, number: int) -> None:
        self.count += 1
        headers = record.headers
        place = (headers.get("dlq-topic"), headers.get("dlq-partition"))
        offset = headers.get("dlq-offset", "")
        if place != (self._topic, str(number)) or not offset.isdecimal():
            self._check.say(f"{record.address}: is a dead letter of no record of its partition.")
            return
        letter = Letter(
            record.address,
            headers.get("dlq-code", ""),
            _bytes(record),
            headers.get("dlq-truncated") == "true",
        )
        self._letters.setdefault(int(offset), []).append(letter)
        if letter.code in Conflicts.CODES:
            self._conflicts.watch(self._topic, record.value)


def _bytes(record: Record) -> bytes:
    return digest([record.key, record.value])

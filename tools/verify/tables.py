"""Rows of one table of one partition number: as the topics say, as changelog and stores hold."""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple, Protocol

import msgspec

from streams.rows import answer_of_row, event_of_row
from tools.verify.checks import Check
from tools.verify.log import Record
from tools.verify.shelves import Shelf
from tools.verify.topics import ANSWERS, EVENTS, changelog_of

_SIZE, _SLOT = 16, 5
_NONE = bytes(_SIZE)
_encode = msgspec.json.Encoder().encode


class Unit(Protocol):
    """The local store of one partition number."""

    name: str
    following: dict[str, int]  # the next offset of each changelog

    def rows(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """Give the rows of a table, with their keys. Raises UnreadableError."""


class Compared(NamedTuple):
    """What is left to say of one table of one store."""

    table: str
    behind: int  # records of the changelog that it has not read
    older: dict[bytes, bytes]  # digests of rows whose records are not in the changelog any more


class Table:
    """Of each row some digests in one slot, so that millions fit."""

    def __init__(
        self, name: str, number: int, units: Iterable[Unit], book: Callable[[], Shelf]
    ) -> None:
        """Begin without rows, with books of where they are and of what is reversed."""
        self.name, self._topic = name, f"{changelog_of(name)}-{number}"
        self._slots, self._reversed, self._held_reversed = book(), book(), book()
        self._said, self._held, self._at = bytearray(), bytearray(), array("q")
        self._copies = [_Copy(self, unit) for unit in units]

    def say(self, key: bytes, content: bytes) -> None:
        """The topics say that this is the row."""
        self._put(self._said, self._slot(key), content)

    def say_reversed(self, key: bytes, by: str) -> None:
        """The topics say that the adjustment in this answer was reversed."""
        self._reversed[key] = by.encode()

    def hold(self, record: Record) -> None:
        """The changelog holds this."""
        key = record.key or b""
        slot = self._slot(key)
        self._at[slot] = record.offset
        row = _NONE if record.value is None else row_digest(record.value)
        content, by = _content(self.name, record.value, row)
        self._put(self._held, slot, content)
        if by is not None or key in self._held_reversed:
            self._held_reversed[key] = (by or "").encode()
        for copy in self._copies:
            copy.hold(slot, record.offset, row)

    def finish(self, check: Check) -> None:
        """Compare what the topics say with what the changelog holds."""
        check.rows += len(self._at)
        if self._said != self._held:
            for key, slot in self.slots():
                said, held = (_of(rows, slot) for rows in (self._said, self._held))
                if said != held:
                    check.say(self._difference(key, slot, said, held))
        only_held = (key for key in self._held_reversed if key not in self._reversed)
        for key in chain(self._reversed, only_held):
            said_by, held_by = (
                book.get(key, b"").decode() for book in (self._reversed, self._held_reversed)
            )
            if said_by != held_by:
                check.say(
                    f"{self._row(key)} is reversed by {held_by or 'nothing'} in "
                    f"{self._topic}-{self._at[self._slot(key)]}, but by {said_by or 'nothing'} as "
                    "the results say."
                )

    def compare(self, place: int, check: Check) -> Compared:
        """Compare the rows of one store with the changelog, as far as the store has read it.

        Raises UnreadableError.
        """
        copy = self._copies[place]
        return Compared(self.name, copy.behind, copy.compare(check))

    def is_same_answer(self, slot: int, row: bytes) -> bool:
        """Whether a row is the answer that the changelog holds, before it was reversed."""
        content, by = _content(self.name, row, b"")
        return by is None and content == _of(self._held, slot)

    def slot_of(self, key: bytes) -> int | None:
        """Give the slot of a row, if there is one."""
        slot = self._slots.get(key)
        return None if slot is None else int.from_bytes(slot, "big")

    def slots(self) -> Iterator[tuple[bytes, int]]:
        """Give all keys with their slots."""
        return ((key, int.from_bytes(slot, "big")) for key, slot in self._slots.entries())

    def _slot(self, key: bytes) -> int:
        slot = self.slot_of(key)
        if slot is None:
            slot = len(self._at)
            self._slots[key] = slot.to_bytes(_SLOT, "big")
            self._said += _NONE
            self._held += _NONE
            self._at.append(-1)
            for copy in self._copies:
                copy.grow()
        return slot

    @staticmethod
    def _put(rows: bytearray, slot: int, content: bytes) -> None:
        rows[slot * _SIZE : (slot + 1) * _SIZE] = content

    def _row(self, key: bytes) -> str:
        what = {"accounts": "account", "chargeable-events": "chargeable event"}
        return f"The row of {what.get(self.name, 'request')} {key.decode(errors='replace')}"

    def _difference(self, key: bytes, slot: int, said: bytes, held: bytes) -> str:
        if held == _NONE:
            return f"{self._row(key)} is missing in {self._topic}."
        where = f"{self._row(key)} in {self._topic}-{self._at[slot]}"
        if said == _NONE:
            return f"{where} follows from no result and no business transaction."
        return f"{where} is not what was published last."


class _Copy:
    """What one store must hold: the changelog up to the offset that the store says it reaches."""

    def __init__(self, table: Table, unit: Unit) -> None:
        self.unit = unit
        self._table = table
        self._until = unit.following.get(changelog_of(table.name), 0)
        self._rows, self._at = bytearray(), array("q")
        self.behind = 0

    def grow(self) -> None:
        self._rows += _NONE
        self._at.append(-1)

    def hold(self, slot: int, offset: int, row: bytes) -> None:
        if offset < self._until:
            self._table._put(self._rows, slot, row)  # noqa: SLF001 - its own
            self._at[slot] = offset
        else:
            self.behind += 1

    def compare(self, check: Check) -> dict[bytes, bytes]:
        """Compare; give the rows whose record was compacted, so that others must prove them."""
        table, met, older = self._table, bytearray(len(self._at)), {}
        for key, row in self.unit.rows(table.name):
            check.rows += 1
            slot = table.slot_of(key)
            if slot is None:
                check.say(f"{self._row(key)}: is in no record of {table._topic}.")  # noqa: SLF001
                continue
            met[slot] = 1
            if self._may_be_older(slot) and (
                table.name != ANSWERS or table.is_same_answer(slot, row)
            ):
                older[key] = told_digest(table.name, row)
            elif row_digest(row) != _of(self._rows, slot):
                check.say(f"{self._row(key)}: is not what {self._address(slot)} says.")
        for key, slot in table.slots():
            if self._at[slot] >= 0 and not met[slot]:
                check.say(f"{self._row(key)}: is missing; {self._address(slot)} has it.")
        return older

    def _may_be_older(self, slot: int) -> bool:
        """Whether the changelog has newer records only, and may have had one that it reached."""
        return self._at[slot] < 0 <= self._table._at[slot] and self._until > 0  # noqa: SLF001

    def _row(self, key: bytes) -> str:
        return f"{self.unit.name}, row {key.decode(errors='replace')} of {self._table.name}"

    def _address(self, slot: int) -> str:
        if self._at[slot] < 0:
            return f"any record of {self._table._topic} before offset {self._until}"  # noqa: SLF001
        return f"{self._table._topic}-{self._at[slot]}"  # noqa: SLF001 - its own


def row_digest(row: bytes) -> bytes:
    """Tell rows apart without keeping them."""
    return hashlib.blake2b(row, digest_size=_SIZE).digest()


def answer_digest(content: bytes, status: str, subject: str | None, value: bytes) -> bytes:
    """Tell remembered answers apart, but for what reversed them."""
    return row_digest(msgspec.msgpack.encode([content, status, subject, value]))


def _of(rows: bytearray, slot: int) -> bytes:
    return bytes(rows[slot * _SIZE : (slot + 1) * _SIZE])


def told_digest(table: str, row: bytes) -> bytes:
    """Tell apart what rows say: of an event its image, in whatever form the row is stored."""
    if table != EVENTS:
        return row_digest(row)
    try:
        return row_digest(_encode(event_of_row(row)))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return row_digest(row)


def _content(table: str, row: bytes | None, digest: bytes) -> tuple[bytes, str | None]:
    """Give the digest of what a row says, and by what an answer's adjustment was reversed."""
    if row is None:
        return digest, None
    if table != ANSWERS:
        return told_digest(table, row), None
    try:
        answer = answer_of_row(row)
        told = answer_digest(answer.content, answer.status, answer.subject, answer.value)
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        return digest, None
    return told, answer.reversed_by

"""Proves that each requestId is decided once, and that a repeat is answered as the first was."""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from tools.verify.answers import REUSED, Answer
from tools.verify.checks import Check
from tools.verify.shelves import Shelf

_SIZE, _SHORT = 16, 8


class Acknowledged:
    """Requests that Kafka acknowledged: eight bytes of each, and where they can be read again."""

    def __init__(self, pairs: Callable[[], Iterable[tuple[str, str]]]) -> None:
        """Read them once; `pairs` gives the same each time."""
        self._pairs = pairs
        numbers = sorted(array("Q", (_short(_key(*pair)) for pair in pairs())))
        self._numbers = array("Q", (number for number, _ in groupby(numbers)))
        self._decided = bytearray(len(self._numbers))

    def __len__(self) -> int:
        """Count the different ones."""
        return len(self._numbers)

    def note(self, key: bytes) -> None:
        """Note that this request has its result."""
        if self._numbers and (place := self._place(key)) is not None:
            self._decided[place] = 1

    def missing(self) -> Iterator[str]:
        """Name those without a result."""
        if all(self._decided):
            return
        told = set()
        for account, request_id in self._pairs():
            place = self._place(_key(account, request_id))
            if place is not None and not self._decided[place] and place not in told:
                told.add(place)
                name = f"Request {request_id} of account {account}"
                yield f"{name} was acknowledged, and has no result."

    def _place(self, key: bytes) -> int | None:
        number = _short(key)
        place = bisect_left(self._numbers, number)
        is_there = place < len(self._numbers) and self._numbers[place] == number
        return place if is_there else None


class Memory:
    """The first answers of one partition number: of each a digest and its offset."""

    def __init__(self, once: Check, same: Check, acknowledged: Acknowledged, book: Shelf) -> None:
        """Begin with an empty book."""
        self._once, self._same, self._acknowledged = once, same, acknowledged
        self._first = book

    def enter(self, answer: Answer) -> None:
        """Enter the next answer."""
        key, address = answer.key, answer.record.address
        known = self._first.get(key)
        if answer.is_first:
            self._once.rows += 1
            self._acknowledged.note(key)
            if known:
                self._once.say(
                    f"{answer.name} was decided twice: {_address(known, answer)}, {address}."
                )
            else:
                offset = answer.record.offset.to_bytes(8, "big")
                self._first[key] = _digest(answer) + offset
        elif answer.is_replay:
            self._same.rows += 1
            if known is None:
                self._same.say(f"{answer.name}: the repeat {address} comes before any result.")
            elif known[:_SIZE] != _digest(answer):
                self._same.say(
                    f"{answer.name}: the repeat {address} is not like the first result, "
                    f"{_address(known, answer)}."
                )
        elif REUSED in answer.codes and known is None:
            self._same.say(f"{answer.name}: {address} calls it used, but nothing came before.")
        if answer.is_remembered == answer.may_be_forgotten:
            self._once.say(f"{answer.name}: {address} is remembered wrongly.")


def _key(account: str, request_id: str) -> bytes:
    return f"{account}/{request_id.lower()}".encode()


def _short(key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(key, digest_size=_SHORT).digest(), "big")


def _digest(answer: Answer) -> bytes:
    return hashlib.blake2b(answer.record.value or b"", digest_size=_SIZE).digest()


def _address(known: bytes, answer: Answer) -> str:
    record = answer.record
    return f"{record.topic}-{record.partition}-{int.from_bytes(known[_SIZE:], 'big')}"

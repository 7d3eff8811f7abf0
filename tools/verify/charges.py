"""Adds up each chargeable event anew: what was charged and every adjustment make what is left."""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.verify.checks import Check
from tools.verify.log import Record
from tools.verify.shelves import Shelf

MICRO = 1_000_000
_FORM = struct.Struct(">11q")


class Money(NamedTuple):
    """Three amounts in micro-units."""

    tax_excluded: int
    tax: int
    tax_included: int

    @classmethod
    def read(cls, amounts: dict[str, int]) -> "Money":
        """Read the three amounts of a message. Raises KeyError where one is missing."""
        return cls(amounts["taxExcludedAmount"], amounts["taxAmount"], amounts["taxIncludedAmount"])

    def plus(self, other: "Money") -> "Money":
        """Add amount by amount."""
        return Money(
            self.tax_excluded + other.tax_excluded,
            self.tax + other.tax,
            self.tax_included + other.tax_included,
        )

    def __str__(self) -> str:
        """Write the amounts as a person reads them, for example `10.00 + 2.10 tax = 12.10`."""
        excluded, tax, included = (decimal(amount) for amount in self)
        return f"{excluded} + {tax} tax = {included}"


class Charge(NamedTuple):
    """What the business transactions said so far about one chargeable event."""

    original: Money
    current: Money
    effects: Money
    adjustments: int
    version: int

    def pack(self) -> bytes:
        """Give it in few bytes: there may be millions."""
        return _FORM.pack(*self.original, *self.current, *self.effects, *self[3:])

    @classmethod
    def unpack(cls, packed: bytes) -> "Charge":
        """Read it again."""
        numbers = _FORM.unpack(packed)
        original, current, effects = (Money(*numbers[at : at + 3]) for at in (0, 3, 6))
        return cls(original, current, effects, *numbers[9:])


class Charges:
    """The ledger of chargeable events, entered in the order of the topic."""

    def __init__(self, check: Check, book: Shelf) -> None:
        """Begin with nothing entered into the book."""
        self._check = check
        self._charges = book

    def __len__(self) -> int:
        """Count the chargeable events."""
        return len(self._charges)

    def enter_event(self, record: Record, image: dict[str, Any]) -> None:
        """Enter an after-image of a chargeable event."""
        self._check.rows += 1
        place = f"{image['account']['refId']}/{image['refId']}"
        original, adjusted, current = (
            Money.read(image[name]) for name in ("original", "adjusted", "current")
        )
        nothing = Money(0, 0, 0)
        packed = self._charges.get(place.encode())
        charge = Charge.unpack(packed) if packed else Charge(original, current, nothing, 0, 0)
        for fault in _faults(charge, image["version"], original, adjusted, current):
            self._check.say(f"{_name(place)}: {fault} ({record.address})")
        now = charge._replace(original=original, current=current, version=image["version"])
        self._charges[place.encode()] = now.pack()

    def enter_adjustment(self, record: Record, image: dict[str, Any]) -> None:
        """Enter an adjustment; the image of its chargeable event came before it."""
        self._check.rows += 1
        place = f"{image['account']['refId']}/{image['chargeableEventRefId']}"
        effect, before, after = (Money.read(image[name]) for name in ("effect", "before", "after"))
        packed = self._charges.get(place.encode())
        if packed is None:
            self._check.say(f"{record.address}: adjusts {_name(place)}, which was never published.")
            return
        charge = Charge.unpack(packed)
        now = charge._replace(
            effects=charge.effects.plus(effect), adjustments=charge.adjustments + 1
        )
        self._charges[place.encode()] = now.pack()
        if before.plus(effect) != after or after != charge.current:
            self._check.say(
                f"{_name(place)}: {before} adjusted by {effect} is not {after}, or not the "
                f"{charge.current} that was published. ({record.address})"
            )

    def finish(self) -> None:
        """Say what does not add up."""
        for key, packed in self._charges.entries():
            place, charge = key.decode(), Charge.unpack(packed)
            if charge.original.plus(charge.effects) != charge.current:
                self._check.say(
                    f"{_name(place)}: charged {charge.original}, {charge.adjustments} adjustments "
                    f"of {charge.effects} in all, but {charge.current} stands there."
                )


def _name(place: str) -> str:
    account, event = place.split("/", 1)
    return f"Chargeable event {event} of account {account}"


def _faults(
    charge: Charge, version: int, original: Money, adjusted: Money, current: Money
) -> Iterator[str]:
    if version != charge.version + 1:
        yield f"version {version} follows version {charge.version}."
    if original.plus(adjusted) != current:
        yield f"charged {original}, adjusted by {adjusted}, is not {current}."
    if min(current) < 0:
        yield f"{current} is below zero."
    for amounts in (original, adjusted, current):
        if amounts.tax_excluded + amounts.tax != amounts.tax_included:
            yield f"{amounts} does not add up."


def decimal(amount: int) -> str:
    """Write micro-units as a person reads them, for example `-1.50`."""
    whole, fraction = divmod(abs(amount), MICRO)
    digits = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{digits}"

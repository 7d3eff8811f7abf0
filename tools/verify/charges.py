"""Adds up each chargeable event anew: what was charged and every adjustment make what is left."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tools.verify.log import Record

MICRO = 1_000_000


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


@dataclass
class Charge:
    """What the business transactions said so far about one chargeable event."""

    name: str
    original: Money
    current: Money
    effects: Money
    adjustments: int
    version: int


class Charges:
    """The ledger of all chargeable events, entered in the order of the topic."""

    def __init__(self) -> None:
        """Begin with nothing entered."""
        self._charges: dict[tuple[str, str], Charge] = {}
        self._disagreements: list[str] = []
        self._effects: dict[str, tuple[tuple[str, str], Money]] = {}
        self._reversed: set[str] = set()
        self._reversals: set[str] = set()

    def __len__(self) -> int:
        """Count the chargeable events."""
        return len(self._charges)

    def enter_event(self, record: Record, image: dict[str, Any]) -> None:
        """Enter an after-image of a chargeable event."""
        place = (image["account"]["refId"], image["refId"])
        original, adjusted, current = (
            Money.read(image[name]) for name in ("original", "adjusted", "current")
        )
        charge = self._charges.get(place)
        if charge is None:
            name = f"Chargeable event {place[1]} of account {place[0]}"
            nothing = Money(0, 0, 0)
            charge = self._charges[place] = Charge(name, original, current, nothing, 0, 0)
        for fault in _faults(charge, image["version"], original, adjusted, current):
            self._disagreements.append(f"{charge.name}: {fault} ({record.address})")
        charge.original, charge.current, charge.version = original, current, image["version"]

    def enter_adjustment(self, record: Record, image: dict[str, Any]) -> None:
        """Enter an adjustment; the image of its chargeable event came before it."""
        place = (image["account"]["refId"], image["chargeableEventRefId"])
        effect, before, after = (Money.read(image[name]) for name in ("effect", "before", "after"))
        charge = self._charges.get(place)
        if charge is None:
            self._disagreements.append(
                f"{record.address}: adjusts chargeable event {place[1]} of account {place[0]}, "
                "which was never published."
            )
            return
        charge.effects = charge.effects.plus(effect)
        charge.adjustments += 1
        self._effects[image["refId"]] = place, effect
        self._check_reversal(record, image, effect)
        if before.plus(effect) != after or after != charge.current:
            self._disagreements.append(
                f"{charge.name}: {before} adjusted by {effect} is not {after}, or not the "
                f"{charge.current} that was published. ({record.address})"
            )

    def _check_reversal(self, record: Record, image: dict[str, Any], effect: Money) -> None:
        """A reversal takes back exactly what an earlier adjustment of its event did, once."""
        undone = image["reversalOf"]
        if undone is None:
            return
        nowhere = (("", ""), effect)
        place, before = self._effects.get(undone, nowhere)
        is_opposite = before.plus(effect) == Money(0, 0, 0)
        is_of_event = place == (image["account"]["refId"], image["chargeableEventRefId"])
        if not is_opposite or not is_of_event:
            self._disagreements.append(
                f"{record.address}: reverses {undone} by {effect}, which is not its opposite."
            )
        if undone in self._reversed:
            self._disagreements.append(f"{record.address}: reverses {undone} a second time.")
        if undone in self._reversals:
            self._disagreements.append(f"{record.address}: reverses {undone}, itself a reversal.")
        self._reversed.add(undone)
        self._reversals.add(image["refId"])

    def disagreements(self) -> Iterator[str]:
        """Say what does not add up."""
        yield from self._disagreements
        for charge in self._charges.values():
            if charge.original.plus(charge.effects) != charge.current:
                yield (
                    f"{charge.name}: charged {charge.original}, {charge.adjustments} adjustments "
                    f"of {charge.effects} in all, but {charge.current} stands there."
                )


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

"""Which rule a well-formed request breaks first, given the account, the charge and its history."""

import struct
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from tools.audit.packing import digest, pack, unpack
from tools.audit.reckoning import OPPOSITE, Amounts, effect, meant, plus, read, written
from tools.audit.shape import Body, Fault

RULES = (
    "REQUEST_ID_REUSED",
    "ACCOUNT_NOT_FOUND",
    "ACCOUNT_STATE_INVALID",
    "BILLING_IN_PROGRESS",
    "CHARGEABLE_EVENT_NOT_FOUND",
    "VERSION_CONFLICT",
    "CURRENCY_MISMATCH",
    "REASON_NOT_CONFIGURED",
    "REASON_NOT_APPLICABLE",
    "COMMENT_REQUIRED",
    "ADJUSTMENT_NOT_FOUND",
    "ALREADY_REVERSED",
    "NOT_REVERSIBLE",
    "NOTHING_TO_ADJUST",
    "CREDIT_EXCEEDS_REMAINING",
    "SUM_OUT_OF_RANGE",
)
LIMIT_MICRO = 10**15
OPEN_STATES = ("ACTIVE", "SUSPENDED")
REASONS = {  # the charge types each may be used for
    "BILLING_ERROR": ("CREDIT", "DEBIT"),
    "DUPLICATED_CHARGE": ("CREDIT", "DEBIT"),
    "INCORRECT_METERING": ("CREDIT", "DEBIT"),
    "SERVICE_UNAVAILABLE": ("CREDIT", "DEBIT"),
    "GOODWILL": ("CREDIT",),
    "DISPUTE": ("CREDIT", "DEBIT"),
    "RATE_CORRECTION": ("CREDIT", "DEBIT"),
    "OTHER": ("CREDIT", "DEBIT"),
}
WANTS_COMMENT = "OTHER"
GIVES_THE_AMOUNT = {
    "AMOUNT": "chargeAdjustment",
    "PERCENT": "percent",
    "SET_TO": "targetAmount",
    "FULL": "adjustmentMode",
}
_HEAD = struct.Struct(">3qQ")  # the effects and how many there were; the image follows
_REVERSED = b"reversed"
_OF_A_REVERSED = ("chargeType", "adjustmentMode", "taxTreatment")


@dataclass(slots=True)
class Charge:
    """The books of one chargeable event: its last image and what was done to it.

    There may be millions of them: they are kept as bytes, and so is what a reversal needs to know
    of each adjustment, those of all charges in one book.
    """

    place: str
    adjustments: MutableMapping[bytes, bytes]
    packed_image: bytes = b""
    effects: Amounts = (0, 0, 0)
    count: int = 0

    @classmethod
    def unpack(
        cls, place: str, packed: bytes, adjustments: MutableMapping[bytes, bytes]
    ) -> "Charge":
        """Read it again."""
        excluded, tax, included, count = _HEAD.unpack_from(packed)
        effects = (excluded, tax, included)
        return cls(place, adjustments, packed[_HEAD.size :], effects, count)

    def pack(self) -> bytes:
        """Give it in few bytes, without its adjustments."""
        return _HEAD.pack(*self.effects, self.count) + self.packed_image

    @property
    def image(self) -> Body:
        """The last image."""
        image: Body = unpack(self.packed_image)
        return image

    def book(self, image: Body, adjustment: Body) -> None:
        """Enter an applied adjustment and the image that it left."""
        self.packed_image = pack(image)
        self.effects = plus(self.effects, read(adjustment["effect"]))
        self.count += 1
        told = [*(adjustment[name] for name in _OF_A_REVERSED), *read(adjustment["effect"])]
        self.adjustments[self._key(adjustment["refId"])] = pack(told)
        if adjustment["reversalOf"] is not None:
            self.adjustments[self._key(adjustment["reversalOf"]) + _REVERSED] = b""

    def adjustment(self, ref_id: str) -> Body | None:
        """What a reversal must know of an adjustment of this charge."""
        told = self.adjustments.get(self._key(ref_id))
        if told is None:
            return None
        *words, excluded, tax, included = unpack(told)
        known = dict(zip(_OF_A_REVERSED, words, strict=True))
        return {"refId": ref_id, **known, "effect": written((excluded, tax, included))}

    def is_reversed(self, ref_id: str) -> bool:
        """Whether an adjustment was taken back already."""
        return self._key(ref_id) + _REVERSED in self.adjustments

    def _key(self, ref_id: str) -> bytes:
        return digest([self.place, ref_id])


@dataclass
class Case:
    """A request's content beside what the books say of its account and its charge."""

    asked: Body
    account: Body | None
    charge: Charge | None

    @cached_property
    def image(self) -> Body:
        """The last image of the charge; earlier rules made sure of it."""
        return self.known_charge.image

    @property
    def known_account(self) -> Body:
        """The account; earlier rules made sure of it."""
        assert self.account is not None
        return self.account

    @property
    def known_charge(self) -> Charge:
        """The charge; earlier rules made sure of it."""
        assert self.charge is not None
        return self.charge

    @cached_property
    def undone(self) -> Body | None:
        """The adjustment of this charge that is to be reversed, if it is one of it."""
        return self.known_charge.adjustment(self.asked.get("reversalOf", ""))

    @property
    def is_reversal(self) -> bool:
        """Whether an adjustment is to be undone."""
        return "reversalOf" in self.asked

    @property
    def charge_type(self) -> str | None:
        """Which way the charge moves; nothing if it stays."""
        if self.undone is not None:
            return OPPOSITE[self.undone["chargeType"]]
        return meant(self.asked, self.image).charge_type

    @cached_property
    def effect(self) -> Amounts:
        """What would be added to the three amounts."""
        if self.undone is not None:
            excluded, tax, included = read(self.undone["effect"])
            return -excluded, -tax, -included
        return effect(self.asked, self.image, self.known_account["taxExempt"])


def first_broken(case: Case) -> Fault | None:
    """The first broken rule, in the order of the rules, with the attribute it is about."""
    ladder = (_account_rules, _event_rules, _reason_rules, _reversal_rules, _amount_rules)
    return next(chain.from_iterable(rules(case) for rules in ladder), None)


def _account_rules(case: Case) -> Iterator[Fault]:
    if case.account is None:
        yield "ACCOUNT_NOT_FOUND", "account.refId"
    elif case.account["state"] not in OPEN_STATES:
        yield "ACCOUNT_STATE_INVALID", "account.refId"
    elif case.account["billingInProgress"]:
        yield "BILLING_IN_PROGRESS", "account.refId"


def _event_rules(case: Case) -> Iterator[Fault]:
    if case.charge is None:
        yield "CHARGEABLE_EVENT_NOT_FOUND", "chargeableEventRefId"
        return
    image = case.image
    if case.asked.get("expectedVersion", image["version"]) != image["version"]:
        yield "VERSION_CONFLICT", "expectedVersion"
    if case.asked["currency"] != image["currency"]:
        yield "CURRENCY_MISMATCH", "currency"


def _reason_rules(case: Case) -> Iterator[Fault]:
    reason = case.asked["reason"]
    if reason not in REASONS:
        yield "REASON_NOT_CONFIGURED", "reason"
        return
    moves = None if case.is_reversal else case.charge_type
    if moves is not None and moves not in REASONS[reason]:
        yield "REASON_NOT_APPLICABLE", "reason"
    if reason == WANTS_COMMENT and not case.asked.get("comment", "").strip():
        yield "COMMENT_REQUIRED", "comment"


def _reversal_rules(case: Case) -> Iterator[Fault]:
    if not case.is_reversal:
        return
    if case.undone is None:
        yield "ADJUSTMENT_NOT_FOUND", "reversalOf"
        return
    if case.known_charge.is_reversed(case.undone["refId"]):
        yield "ALREADY_REVERSED", "reversalOf"
    if case.undone["adjustmentMode"] == "REVERSAL":
        yield "NOT_REVERSIBLE", "reversalOf"


def _amount_rules(case: Case) -> Iterator[Fault]:
    where = "reversalOf" if case.is_reversal else GIVES_THE_AMOUNT[case.asked["adjustmentMode"]]
    current = read(case.image["current"])
    if not case.is_reversal:
        charge_type, amount, part = meant(case.asked, case.image)
        if amount == 0:
            yield "NOTHING_TO_ADJUST", where
        if charge_type == "CREDIT" and amount > current[part]:
            yield "CREDIT_EXCEEDS_REMAINING", where
    after = plus(current, case.effect)
    if min(after) < 0:
        yield "CREDIT_EXCEEDS_REMAINING", where
    adjusted = plus(case.known_charge.effects, case.effect)
    sums = zip((*current, *case.known_charge.effects), (*after, *adjusted), strict=True)
    if any(abs(new) > max(LIMIT_MICRO, abs(old)) for old, new in sums):
        yield "SUM_OUT_OF_RANGE", where

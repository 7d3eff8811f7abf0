"""An auditor with books of its own: judges what is decided, from what was written alone.

It knows the charge as rated and every published message since, reckons in exact fractions, and
asks both ways: what was applied must have been allowed, what was refused must break a rule.
"""

from fractions import Fraction
from math import floor
from typing import Any

Body = dict[str, Any]
PARTS = ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
LIMIT = 10**15
REASONS = {
    "BILLING_ERROR",
    "DUPLICATED_CHARGE",
    "INCORRECT_METERING",
    "SERVICE_UNAVAILABLE",
    "GOODWILL",
    "DISPUTE",
    "RATE_CORRECTION",
    "OTHER",
}


class Auditor:
    """The books of one chargeable event."""

    def __init__(self, account: Body, event: Body) -> None:
        """Open the books with the account and the event as they were sent."""
        self.account, self.event = account, event
        self.original = [event["original"][part] for part in PARTS]
        self.effects: list[list[int]] = []

    @property
    def adjusted(self) -> list[int]:
        """The sum of all effects."""
        return [sum(effect[part] for effect in self.effects) for part in range(3)]

    @property
    def current(self) -> list[int]:
        """What is charged now."""
        return [one + other for one, other in zip(self.original, self.adjusted, strict=True)]

    def check(self, request: Body, result: Body) -> None:
        """Judge one result, and enter its effect."""
        broken = self.broken_rules(request)
        if result["status"] == "REFUSED":
            (fault,) = result["errors"]
            assert fault["code"] in broken, (fault, broken)
            assert result["adjustment"] is None
        else:
            assert not broken, broken
            self._enter(request, result["adjustment"])
        self._compare(result)

    def broken_rules(self, request: Body) -> set[str]:
        """Give every rule that the request breaks."""
        reason, amount = request.get("reason") or "BILLING_ERROR", request["chargeAdjustment"]
        is_credit = request["chargeType"] == "CREDIT"
        kind = 2 if request["taxIncluded"] else 0
        is_too_much = is_credit and amount > self.current[kind]
        rules = {
            "ACCOUNT_STATE_INVALID": self.account["state"] not in {"ACTIVE", "SUSPENDED"},
            "BILLING_IN_PROGRESS": self.account["billingInProgress"],
            "CURRENCY_MISMATCH": request["currency"] != self.event["currency"],
            "REASON_NOT_CONFIGURED": reason not in REASONS,
            "REASON_NOT_APPLICABLE": reason == "GOODWILL" and not is_credit,
            "COMMENT_REQUIRED": reason == "OTHER" and not (request.get("comment") or "").strip(),
            "CREDIT_EXCEEDS_REMAINING": is_too_much,
            "SUM_OUT_OF_RANGE": not is_too_much and self._leaves_range(request),
        }
        return {code for code, is_broken in rules.items() if is_broken}

    def _leaves_range(self, request: Body) -> bool:
        effect = self._effect(request)
        return any(
            abs(books[part] + effect[part]) > LIMIT
            for books in (self.current, self.adjusted)
            for part in range(3)
        )

    def _effect(self, request: Body) -> list[int]:
        """Reckon the signed effect from the share of tax in the amount."""
        amount, with_tax = request["chargeAdjustment"], request["taxIncluded"]
        if request["chargeType"] == "CREDIT":
            share, sign = Fraction(self.current[1], self.current[2 if with_tax else 0]), -1
        else:
            exempt = self.account["taxExempt"]
            rate, sign = Fraction(0 if exempt else self.event["tax"]["rate"], 10000), 1
            share = rate / (1 + rate) if with_tax else rate
        tax = floor(amount * share + Fraction(1, 2))
        excluded = amount - tax if with_tax else amount
        return [sign * excluded, sign * tax, sign * (excluded + tax)]

    def _enter(self, request: Body, adjustment: Body) -> None:
        before, effect = self.current, self._effect(request)
        assert _parts(adjustment["effect"]) == effect
        assert _parts(adjustment["before"]) == before
        self.effects.append(effect)
        assert _parts(adjustment["after"]) == self.current
        assert min(self.current) >= 0
        assert adjustment["requestId"] == request["requestId"]

    def _compare(self, result: Body) -> None:
        event = result["chargeableEvent"]
        assert _parts(event["original"]) == self.original
        assert _parts(event["adjusted"]) == self.adjusted
        assert _parts(event["current"]) == _parts(result["remaining"]) == self.current
        assert self.current[0] + self.current[1] == self.current[2]
        assert event["adjustmentCount"] == len(self.effects)
        assert event["version"] == len(self.effects) + 1


def _parts(amounts: Body) -> list[int]:
    return [amounts[part] for part in PARTS]

"""Arithmetic of charges: integers only, in micro-units, rounded half up."""

from schemas.amounts import Amounts

MICRO = 1_000_000
BASIS_POINTS = 10_000
SUM_MAX = 10**15  # micro-units, either way


def credit(amount: int, remaining: Amounts, *, is_tax_included: bool) -> Amounts:
    """Work out a credit: tax goes down in proportion to what remains.

    `amount` is in micro-units, not below zero. So any row of partial credits that takes everything
    closes at zero in all three amounts. Where it is more than what remains of its kind, and only
    there, something below zero would be left.
    """
    if is_tax_included:
        tax = _share(amount, remaining.tax_amount, remaining.tax_included_amount)
        return _effect(tax - amount, -tax)
    tax = _share(amount, remaining.tax_amount, remaining.tax_excluded_amount)
    return _effect(-amount, -tax)


def debit(amount: int, rate: int, *, is_tax_included: bool) -> Amounts:
    """Work out a debit, taxed at `rate`, in basis points. `amount` is not below zero."""
    if is_tax_included:
        tax = _share(amount, rate, BASIS_POINTS + rate)
        return _effect(amount - tax, tax)
    return _effect(amount, percent_of(amount, rate))


def percent_of(amount: int, percent: int) -> int:
    """Give so many basis points of an amount, rounded half up. Neither is below zero."""
    return _share(amount, percent, BASIS_POINTS)


def without_tax(amount: int) -> Amounts:
    """Give the effect that moves only the amount without tax."""
    return _effect(amount, 0)


def of_tax(amount: int) -> Amounts:
    """Give the effect that moves only the tax."""
    return _effect(0, amount)


def negated(amounts: Amounts) -> Amounts:
    """Give what undoes it."""
    return _effect(-amounts.tax_excluded_amount, -amounts.tax_amount)


def add(one: Amounts, other: Amounts) -> Amounts:
    """Add both up, each of the three amounts for itself."""
    return Amounts(
        tax_excluded_amount=one.tax_excluded_amount + other.tax_excluded_amount,
        tax_amount=one.tax_amount + other.tax_amount,
        tax_included_amount=one.tax_included_amount + other.tax_included_amount,
    )


def is_any_negative(amounts: Amounts) -> bool:
    """Whether one of the three amounts is below zero."""
    return (
        amounts.tax_excluded_amount < 0 or amounts.tax_amount < 0 or amounts.tax_included_amount < 0
    )


def leave_range(before: Amounts, after: Amounts) -> bool:
    """Whether one of the three goes beyond 10^15 micro-units, or farther beyond, either way.

    What rating sent may be beyond already; then it may come nearer again.
    """
    return (
        _leaves(before.tax_excluded_amount, after.tax_excluded_amount)
        or _leaves(before.tax_amount, after.tax_amount)
        or _leaves(before.tax_included_amount, after.tax_included_amount)
    )


def micro_as_money(amount: int, currency: str) -> str:
    """Write an amount for people: `12.100001 EUR`, with two decimals at least."""
    units, micro = divmod(abs(amount), MICRO)
    decimals = f"{micro:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{units}.{decimals} {currency}"


def _share(amount: int, part: int, whole: int) -> int:
    """Give amount x part / whole, rounded half up; nothing where there is no whole."""
    return (2 * amount * part + whole) // (2 * whole) if whole else 0


def _leaves(before: int, after: int) -> bool:
    return abs(after) > SUM_MAX and abs(after) > abs(before)


def _effect(excluded: int, tax: int) -> Amounts:
    return Amounts(tax_excluded_amount=excluded, tax_amount=tax, tax_included_amount=excluded + tax)

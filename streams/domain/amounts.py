"""Arithmetic of charges: integers only, in micro-units, rounded half up."""

from schemas.amounts import Amounts

MICRO = 1_000_000
BASIS_POINTS = 10_000
SUM_MAX, SUM_MIN = 10**15, -(10**15)  # micro-units


def credit(amount: int, remaining: Amounts, *, is_tax_included: bool) -> Amounts:
    """Work out a credit: tax goes down in proportion to what remains.

    `amount` is above zero and at most what remains of its kind, in micro-units. So any row of
    partial credits that takes everything closes at zero in all three amounts.
    """
    if is_tax_included:
        tax = _rounded(remaining.tax_amount * amount, remaining.tax_included_amount)
        return _effect(tax - amount, -tax)
    tax = _rounded(remaining.tax_amount * amount, remaining.tax_excluded_amount)
    return _effect(-amount, -tax)


def debit(amount: int, rate: int, *, is_tax_included: bool) -> Amounts:
    """Work out a debit, taxed at `rate`, in basis points. `amount` is above zero."""
    if is_tax_included:
        tax = _rounded(amount * rate, BASIS_POINTS + rate)
        return _effect(amount - tax, tax)
    return _effect(amount, _rounded(amount * rate, BASIS_POINTS))


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


def is_in_range(amounts: Amounts) -> bool:
    """Whether all three amounts are within 10^15 micro-units, either way."""
    return (
        SUM_MIN <= amounts.tax_excluded_amount <= SUM_MAX
        and SUM_MIN <= amounts.tax_amount <= SUM_MAX
        and SUM_MIN <= amounts.tax_included_amount <= SUM_MAX
    )


def micro_as_money(amount: int, currency: str) -> str:
    """Write an amount for people: `12.100001 EUR`, with two decimals at least. `amount` is >= 0."""
    units, micro = divmod(amount, MICRO)
    decimals = f"{micro:06d}".rstrip("0").ljust(2, "0")
    return f"{units}.{decimals} {currency}"


def _rounded(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)


def _effect(excluded: int, tax: int) -> Amounts:
    return Amounts(tax_excluded_amount=excluded, tax_amount=tax, tax_included_amount=excluded + tax)

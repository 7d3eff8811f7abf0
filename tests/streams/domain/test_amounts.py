"""Tests of the arithmetic of charges."""

import pytest

from streams.domain.amounts import (
    add,
    credit,
    debit,
    is_any_negative,
    leave_range,
    micro_as_money,
)
from tests.builders import amounts

CHARGE = amounts(10000000, 2100000)


@pytest.mark.parametrize(
    ("amount", "is_tax_included", "effect"),
    [
        (1000000, True, (-826446, -173554)),
        (1000000, False, (-1000000, -210000)),
        (12100000, True, (-10000000, -2100000)),
        (10000000, False, (-10000000, -2100000)),
        (1, True, (-1, 0)),
    ],
)
def test_a_credit_takes_tax_in_proportion_to_what_remains(
    amount: int, effect: tuple[int, int], *, is_tax_included: bool
) -> None:
    assert credit(amount, CHARGE, is_tax_included=is_tax_included) == amounts(*effect)


@pytest.mark.parametrize(
    ("amount", "rate", "is_tax_included", "effect"),
    [
        (1000000, 2100, True, (826446, 173554)),
        (1000000, 2100, False, (1000000, 210000)),
        (1000000, 0, True, (1000000, 0)),
        (1, 5000, False, (1, 1)),
        (1, 4999, False, (1, 0)),
    ],
)
def test_a_debit_is_taxed_at_the_rate(
    amount: int, rate: int, effect: tuple[int, int], *, is_tax_included: bool
) -> None:
    assert debit(amount, rate, is_tax_included=is_tax_included) == amounts(*effect)


def test_a_small_charge_is_credited_to_exactly_nothing() -> None:
    charge = amounts(3, 1)
    after = add(charge, credit(1, charge, is_tax_included=True))
    assert after == amounts(2, 1)
    assert add(after, credit(3, after, is_tax_included=True)) == amounts(0, 0)


def test_an_amount_below_zero_is_seen_in_each_of_the_three() -> None:
    assert not is_any_negative(amounts(0, 0))
    assert is_any_negative(amounts(-1, 2))
    assert is_any_negative(amounts(2, -1))
    assert is_any_negative(amounts(-1, 0))


@pytest.mark.parametrize(
    ("before", "after", "leaves"),
    [
        ((0, 0), (10**15, 0), False),
        ((0, 0), (-(10**15), 0), False),
        ((0, 0), (0, 10**15), False),
        ((0, 0), (10**15 + 1, -1), True),
        ((0, 0), (-1, 10**15 + 1), True),
        ((0, 0), (10**15, 1), True),
        ((0, 0), (-(10**15), -1), True),
        ((10**15 + 9, 0), (10**15 + 8, 0), False),
        ((10**15 + 8, 0), (10**15 + 8, 0), False),
        ((10**15 + 8, 0), (10**15 + 9, 0), True),
    ],
)
def test_a_sum_may_not_leave_the_range_but_come_back(
    before: tuple[int, int], after: tuple[int, int], *, leaves: bool
) -> None:
    assert leave_range(amounts(*before), amounts(*after)) is leaves


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (12100001, "12.100001 EUR"),
        (11100000, "11.10 EUR"),
        (0, "0.00 EUR"),
        (1, "0.000001 EUR"),
        (5_000_000, "5.00 EUR"),
        (120_000_000, "120.00 EUR"),
        (-1_500_000, "-1.50 EUR"),
    ],
)
def test_money_is_written_with_two_decimals_at_least(amount: int, text: str) -> None:
    assert micro_as_money(amount, "EUR") == text

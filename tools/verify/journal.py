"""Works Finance's journal out anew: what each adjustment posts, and the sums of all of it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from schemas.reasons import REASONS
from tools.verify.charges import decimal
from tools.verify.checks import Report
from tools.verify.finance_store import FinanceStore
from tools.verify.rows import Row, difference, digest

RECEIVABLE, REVENUE, TAX_PAYABLE = 1, 2, 3
Line = Mapping[str, Any]

_COMPARED = ("line", "amount", "currency", "requested_at", "billing_treatment", "reason")
_TOTALLED = ("day", "currency", "reason", "gl_account")
_DAY = len("2026-11-05")


class Journal:
    """Journal and daily totals against the adjustments, entered in the order of the topic."""

    def __init__(self, store: FinanceStore, report: Report) -> None:
        """Take in the journal as it stands: of each adjustment a digest, and the sums."""
        self._store = store
        self._posting = report.check("each adjustment is posted by the rule")
        self._balance = report.check("the lines of each adjustment add up to zero")
        self._receivable = report.check("one receivable account per currency")
        self._owed = report.check("line 1 adds up to the effects, per account")
        self._daily = report.check("daily totals are the journal grouped anew")
        self._posted: dict[int, bytes] = {}  # by the hash of the adjustment's refId
        self._totals: defaultdict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
        self._receivables: dict[tuple[str, str], tuple[int, str]] = {}
        self._effects: Counter[str] = Counter()
        self._last_event: dict[int, tuple[str, str, str | None]] = {}
        for adjustment, lines in groupby(store.lines(), lambda line: line["adjustment_ref_id"]):
            self._take_in(str(adjustment), list(lines))

    def enter_event(self, row: Row) -> None:
        """Remember the G/L account of the event that the next adjustment may be of."""
        values = row.values
        self._last_event[row.partition] = (
            values["account_ref_id"],
            values["ref_id"],
            values["gl_code"],
        )

    def enter_adjustment(self, row: Row) -> None:
        """Compare what an adjustment must have posted."""
        account, ref_id = row.values["account_ref_id"], row.values["ref_id"]
        self._effects[account] += row.values["effect_tax_included_amount"]
        expected = self._lines(row)
        found = self._posted.pop(hash(ref_id), None)
        if (found or digest([])) == _digest(expected):
            return
        for fault in _faults(self._store.lines_of(ref_id), expected):
            self._posting.say(f"Finance, {row.name}, {fault} ({row.address}).")

    def finish(self, *, is_whole: bool) -> None:
        """Say what does not add up; sums only if the whole topic was read."""
        self._compare_receivables()
        self._compare_totals()
        if not is_whole:
            return
        self._compare_owed()
        if self._posted:
            for line in self._store.lines():
                if hash(line["adjustment_ref_id"]) in self._posted:
                    self._posting.say(
                        f"Finance, adjustment {line['adjustment_ref_id']}, line {line['line']}: "
                        f"posts {decimal(line['amount'])} on {line['gl_account']}, but the topic "
                        "has no such adjustment before the store's position."
                    )

    def _take_in(self, adjustment: str, lines: Sequence[Line]) -> None:
        self._posted[hash(adjustment)] = _digest(lines)
        self._posting.rows += len(lines)
        self._daily.rows += len(lines)
        self._balance.rows += 1
        if total := sum(line["amount"] for line in lines):
            self._balance.say(
                f"Finance, adjustment {adjustment}: its lines add up to {decimal(total)}, not 0.00."
            )
        for line in lines:
            day = {"day": line["requested_at"][:_DAY]}
            group = self._totals[tuple((line | day)[name] for name in _TOTALLED)]  # type: ignore[operator]
            group[0] += line["amount"]
            group[1] += 1
            if line["line"] == RECEIVABLE:
                self._receivable.rows += 1
                place = (line["currency"], line["gl_account"])
                times, first = self._receivables.get(place, (0, adjustment))
                self._receivables[place] = times + 1, first

    def _lines(self, row: Row) -> list[Line]:
        """Give the lines that an adjustment must post; of their accounts only revenue's is told."""
        values = row.values
        amounts = {
            RECEIVABLE: values["effect_tax_included_amount"],
            REVENUE: -values["effect_tax_excluded_amount"],
            TAX_PAYABLE: -values["effect_tax_amount"],
        }
        noted = {name: values[name] for name in _COMPARED[2:]}
        return [
            noted | {"line": number, "amount": amount, "gl_account": self._revenue(row)}
            for number, amount in amounts.items()
            if amount
        ]

    def _revenue(self, row: Row) -> str:
        """The account of the event published just before, or else that of the reason."""
        values = row.values
        place = (values["account_ref_id"], values["chargeable_event_ref_id"])
        *of_event, gl_code = self._last_event.get(row.partition, ("", "", None))
        reason = REASONS.get(values["reason"])
        of_reason = reason.gl_code if reason else str(values["reason"])
        return (gl_code if tuple(of_event) == place else None) or of_reason

    def _compare_receivables(self) -> None:
        most: dict[str, tuple[int, str]] = {}
        for (currency, account), (times, _) in self._receivables.items():
            most[currency] = max(most.get(currency, (0, "")), (times, account))
        for (currency, account), (times, first) in self._receivables.items():
            usual = most[currency][1]
            if account != usual:
                self._receivable.say(
                    f"Finance, adjustment {first}, line 1: posts {currency} on {account}, "
                    f"others on {usual} (such lines: {times})."
                )

    def _compare_owed(self) -> None:
        stored = dict(self._store.receivables())
        self._owed.rows = len(self._effects)
        for account in self._effects.keys() | stored.keys():
            found, expected = stored.get(account, 0), self._effects[account]
            if found != expected:
                self._owed.say(
                    f"Finance, account {account}: line 1 of its adjustments adds up to "
                    f"{decimal(found)}, their effects to {decimal(expected)}."
                )

    def _compare_totals(self) -> None:
        seen: set[tuple[Any, ...]] = set()
        for total in self._store.totals():
            group = tuple(total[name] for name in _TOTALLED)
            amount, lines = self._totals.get(group, [0, 0])
            if group in seen:
                self._daily.say(f"Finance, daily total {_named(group)}: stands there again.")
            elif (total["amount"], total["lines"]) != (amount, lines):
                self._daily.say(
                    f"Finance, daily total {_named(group)}: {decimal(total['amount'])} "
                    f"(lines: {total['lines']}), but the journal has {decimal(amount)} "
                    f"(lines: {lines})."
                )
            seen.add(group)
        for group in self._totals.keys() - seen:
            amount, lines = self._totals[group]
            self._daily.say(
                f"Finance, daily total {_named(group)}: is missing; the journal has "
                f"{decimal(amount)} (lines: {lines})."
            )


def _digest(lines: Sequence[Line]) -> bytes:
    """Of all that is known beforehand: receivable and tax payable accounts are Finance's own."""
    return digest(
        line[name] if name != "gl_account" or line["line"] == REVENUE else None
        for line in lines
        for name in (*_COMPARED, "gl_account")
    )


def _faults(found: Sequence[Line], expected: Sequence[Line]) -> list[str]:
    faults = []
    for number in sorted({line["line"] for line in (*found, *expected)}):
        here = [line for line in found if line["line"] == number]
        wanted = next((line for line in expected if line["line"] == number), None)
        if wanted is None:
            faults.append(f"line {number}: must not stand there, its amount is 0.00")
        elif not here:
            faults.append(
                f"line {number}: is missing, {decimal(wanted['amount'])} must stand there"
            )
        else:
            faults += _line_faults(here, wanted)
    return faults


def _line_faults(found: Sequence[Line], wanted: Line) -> list[str]:
    number = wanted["line"]
    names = (*_COMPARED[1:], *(("gl_account",) if number == REVENUE else ()))
    faults = [
        f"line {number}: {difference(name, line[name], wanted[name])}"
        for line in found
        for name in names
        if line[name] != wanted[name]
    ]
    if len(found) > 1:
        faults.append(f"line {number}: stands {len(found)} times")
    return faults


def _named(group: tuple[Any, ...]) -> str:
    day, currency, reason, account = group
    return f"of {day}, {currency}, {reason}, account {account}"

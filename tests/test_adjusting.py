"""Every example of docs/adjusting.md is run, and its tables are compared with the code."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from schemas.adjustment import (
    Adjustment,
    AdjustmentMode,
    AdjustmentRequest,
    AskedMode,
    TaxTreatment,
)
from schemas.amounts import Amounts
from schemas.reading import MalformedRequest, Unreadable, read_request
from schemas.reasons import REASONS
from schemas.refusals import Refusal
from streams.domain.amounts import MICRO, micro_as_money
from streams.domain.decide import content_of, decide, refuse_malformed
from streams.domain.state import Answer, State
from tests.builders import Body, account, amounts_body, as_bytes, event, noted

Line = tuple[str, str]  # an example's line: its first word, and what it says

SHORT, TAIL = "…", "0000000-0000-4000-8000-000000000000"  # as the page says of requestIds
PAGE = (Path(__file__).parent.parent / "docs" / "adjusting.md").read_text().replace(SHORT, TAIL)
PARTS = re.split(r"^#+ (.*)\n", PAGE, flags=re.MULTILINE)
SECTIONS = dict(zip(PARTS[1::2], PARTS[2::2], strict=True))
ALWAYS = json.loads(PAGE.split("```json")[1].split("```")[0])
ANY_CHARGE = "3.00 + 0.00 tax = 3.00 EUR at 0 %"  # where the page names none
CONDITIONS: dict[str, tuple[Body, Body]] = {  # what they mean for the account and the event
    "exempt from tax": ({"taxExempt": True}, {}),
    "account inactive": ({"state": "INACTIVE"}, {}),
    "bill being made": ({"billingInProgress": True}, {}),
    "billed": ({}, {"status": "BILLED", "invoiceRefId": "INV-1"}),
}
ASKED: Body = {  # something good for each attribute that the table is about
    "chargeType": "CREDIT",
    "chargeAdjustment": 1000000,
    "percent": 2500,
    "targetAmount": 5000000,
    "taxIncluded": False,
}
FULL: Body = {"adjustmentMode": "FULL", "chargeType": "CREDIT"}
OPTIONAL = {"reason": "OTHER", "comment": "with any", "expectedVersion": 1}


class Charge:
    """A charge, and what was asked about it so far."""

    def __init__(self, text: str) -> None:
        found = re.fullmatch(r"(\S+) \+ (\S+) tax = \S+ EUR at (\d+) %(?:, (.+))?", text)
        assert found, f"not a charge: {text}"
        excluded, tax, rate = (int(Decimal(number) * MICRO) for number in found.groups()[:3])
        of_account, of_event = CONDITIONS[found[4]] if found[4] else ({}, {})
        taxed = {"code": "VAT", "rate": rate * 100 // MICRO}
        original = amounts_body(excluded, tax)
        self.account = account(**of_account)
        self.event = event(original=original, tax=taxed, **of_event)
        self.answers: dict[str, Answer] = {}
        self.adjustments: dict[str, Adjustment] = {}
        self.reversed_by: dict[str, str] = {}
        self.asked = 0

    def ask(self, asked: Body) -> list[Line]:
        """All that the page may say about what comes of it."""
        self.asked += 1
        body = ALWAYS | {"requestId": f"{self.asked}{TAIL}"} | asked
        request = read_request(as_bytes(body))
        assert not isinstance(request, Unreadable)
        if isinstance(request, MalformedRequest):
            return [_refused(fault) for fault in refuse_malformed(request, noted()).errors]
        decision = decide(self._state(request), request, noted(account_ref_id=_account_of(request)))
        if decision.result is None:
            return [("repeat", "the first result again")]
        if decision.is_remembered:
            self.answers[request.request_id] = Answer(content_of(request))
        if decision.adjustment is None:
            return [_refused(fault) for fault in decision.result.errors]
        return self._applied(decision.adjustment, decision.chargeable_event)

    def _state(self, request: AdjustmentRequest) -> State:
        undone = request.reversal_of or ""
        is_known = request.chargeable_event_ref_id == self.event.ref_id
        return State(
            account=self.account if _account_of(request) == self.account.ref_id else None,
            chargeable_event=self.event if is_known else None,
            answer=self.answers.get(request.request_id),
            adjustment=self.adjustments.get(undone),
            reversed_by=self.reversed_by.get(undone),
        )

    def _applied(self, made: Adjustment, changed: Any) -> list[Line]:
        self.event = changed
        self.adjustments[made.ref_id] = made
        if made.reversal_of is not None:
            self.reversed_by[made.reversal_of] = made.ref_id
        return [
            ("effect", _written(made.effect)),
            ("current", _written(self.event.current)),
            ("bill", made.billing_treatment),
            ("recorded", f"{made.adjustment_mode}, {made.tax_treatment}"),
        ]


def _account_of(request: AdjustmentRequest) -> str:
    assert request.account is not None
    return request.account.ref_id


def _refused(fault: Any) -> Line:
    return ("refused", f"{fault.code} of {fault.field}: {fault.message}")


def _written(amounts: Amounts) -> str:
    excluded, tax, included = (
        micro_as_money(amount, "EUR") for amount in msgspec.structs.astuple(amounts)
    )
    sign = "-" if amounts.tax_amount < 0 else "+"
    return f"{excluded[:-4]} {sign} {tax[:-4].lstrip('-')} tax = {included}"


def examples_of(section: str) -> list[list[Line]]:
    """The indented blocks of a section; a line that is indented further goes on."""
    blocks = re.findall(r"(?:^ {4}.*\n)+", SECTIONS[section], re.MULTILINE)
    lines = [re.sub(r"\n {5,}", " ", block).splitlines() for block in blocks]
    return [[_split(line) for line in block] for block in lines]


def _split(line: str) -> Line:
    word, text = line.split(maxsplit=1)
    return word, text


def run(example: list[Line], *, is_all_told: bool = False) -> Iterator[Line]:
    """The example with what really comes of it, as far as it tells that."""
    told = {"effect", "refused", "repeat"} | {word for word, _ in example}
    charge = Charge(ANY_CHARGE)
    for word, text in example:
        if word in {"charge", "asked"}:
            yield word, text
        if word == "charge":
            charge = Charge(text)
            assert text.startswith(_written(charge.event.original)), "it does not add up"
        if word == "asked":
            come = charge.ask(json.loads(text))
            yield from (line for line in come if is_all_told or line[0] in told)


EXAMPLES = [(section, example) for section in SECTIONS for example in examples_of(section)]


@pytest.mark.parametrize(("section", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_comes_to_what_the_page_says(section: str, example: list[Line]) -> None:
    assert list(run(example)) == example, section


def test_every_mode_treatment_and_refusal_is_in_an_example() -> None:
    words = [
        word
        for _, example in EXAMPLES
        for kind, text in run(example, is_all_told=True)
        if kind in {"recorded", "refused"}
        for word in re.findall(r"[A-Z_]{4,}", text.split(" of ")[0])
    ]

    assert {*AdjustmentMode, *TaxTreatment} <= set(words)
    assert set(Refusal) - set(words) == {Refusal.AMBIGUOUS_ID}


def test_every_refusal_has_its_section_in_the_order_of_the_rules() -> None:
    assert [name for name in SECTIONS if name in set(Refusal)] == list(Refusal)


@pytest.mark.parametrize("code", [code for code in Refusal if code is not Refusal.AMBIGUOUS_ID])
def test_the_section_of_a_refusal_shows_it(code: Refusal) -> None:
    shown = [text for example in examples_of(code) for word, text in example if word == "refused"]

    assert any(text.startswith(f"{code} of ") for text in shown)


def table(section: str) -> list[list[str]]:
    """The cells of the first table of a section, its header first."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def test_the_reasons_are_those_of_the_code() -> None:
    assert table("Reasons")[1:] == [
        [
            reason.code,
            reason.name,
            ", ".join(reason.charge_types),
            "needed" if reason.comment_required else "optional",
            reason.gl_code,
            "yes" if reason.is_default else "no",
        ]
        for reason in REASONS.values()
    ]


def kinds_of(label: str) -> list[Body]:
    """What the first cell of a row stands for, as attributes."""
    words = re.findall(r"[A-Z_]{4,}", label)
    modes = [word for word in words if word in set(AdjustmentMode)]
    treatments = [word for word in words if word in set(TaxTreatment)] or list(TaxTreatment)
    if not modes:
        return [{"reversalOf": "ADJ-1"}]
    return [
        {"adjustmentMode": mode, "taxTreatment": treatment}
        for mode, treatment in product(modes, treatments)
    ]


def cells() -> Iterator[tuple[Body, str, str]]:
    """A good request of each kind, and a cell about one attribute of it."""
    header, *rows = table("Which attributes are needed")
    for label, *row in rows:
        about = dict(zip((name.strip("`") for name in header[1:]), row, strict=True))
        for kind in kinds_of(label):
            needed = {name: ASKED[name] for name, said in about.items() if said[:6] == "needed"}
            yield from ((kind | needed, name, said) for name, said in about.items())


def faults(asked: Body) -> list[tuple[str, str]]:
    read = read_request(as_bytes(ALWAYS | asked))
    return [(fault.code, fault.field) for fault in getattr(read, "faults", ())]


@pytest.mark.parametrize(("good", "name", "said"), list(cells()))
def test_an_attribute_is_needed_or_not_used_as_the_table_says(
    good: Body, name: str, said: str
) -> None:
    missing, conflicting = [("MISSING_ATTRIBUTE", name)], [("CONFLICTING_ATTRIBUTES", name)]
    assert not faults(good)
    assert not faults(good | OPTIONAL)
    if said.startswith("needed"):
        assert faults(good | {name: None}) == missing
        assert (faults(good | {name: "DEBIT"}) == conflicting) == (said == "needed: CREDIT")
    elif said == "false or none":
        assert not faults(good | {name: False})
        assert faults(good | {name: True}) == conflicting
    else:
        assert said == "no"
        assert faults(good | {name: ASKED[name]}) == conflicting


def test_the_table_of_attributes_has_every_mode_with_every_treatment() -> None:
    kinds = [kind for row in table("Which attributes are needed")[1:] for kind in kinds_of(row[0])]
    asked = [(kind.get("adjustmentMode"), kind.get("taxTreatment")) for kind in kinds]

    assert sorted(asked[:-1]) == sorted(product(get_args(AskedMode), TaxTreatment))
    assert asked[-1] == (None, None)


@pytest.mark.parametrize("name", ["user", "chargeableEventRefId", "currency"])
def test_some_attributes_are_always_needed(name: str) -> None:
    assert faults(FULL | {name: None}) == [("MISSING_ATTRIBUTE", name)]

"""Every edit of a good run is noticed, and named by the invariants that it breaks."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pytest

from tests.tools.runs import (
    ACCOUNT,
    ACKNOWLEDGED,
    ASTRAY,
    HOME,
    PARTITIONS,
    Place,
    Stores,
    Written,
    good_run,
)
from tools.verify.findings import Findings
from tools.verify.memory import Acknowledged
from tools.verify.shelves import IN_MEMORY_MAX
from tools.verify.whole import Beside, verify

Edit = Callable[[Written, Stores], object]
REQUESTS, RESULTS = ("adjustment-requests", HOME), ("adjustment-results", HOME)
TRANSACTIONS, STRAYS = ("business-transactions", HOME), ("adjustment-requests", ASTRAY)
ACCOUNTS, EVENTS = ("accounts", HOME), ("chargeable-events", HOME)
LETTERS, LETTERS_OF_EVENTS = (f"dlq-{REQUESTS[0]}", HOME), (f"dlq-{EVENTS[0]}", HOME)
ACCOUNT_ROWS, EVENT_ROWS = (f"adjust-{topic[0]}-changelog" for topic in (ACCOUNTS, EVENTS))
ANSWER_ROWS, PROGRESS_ROWS = "adjust-answers-changelog", "adjust-progress-changelog"
APPLIED, REPLAY, REFUSED, REUSED, MALFORMED, REVERSED, DEBITED, LAST = range(8)


def dropped(place: Place, at: int) -> Edit:
    return lambda written, _: written.places[place].pop(at)


def doubled(place: Place, at: int) -> Edit:
    """Write a record again at the end, with the next seq where it has one."""

    def edit(written: Written, _: Stores) -> None:
        records = written.places[place]
        copy = replace(records[at], offset=written.end(*place))
        if "seq" in copy.headers:
            seq = int(records[-1].headers["seq"]) + 1
            copy = replace(copy, headers={**copy.headers, "seq": str(seq)})
        records.append(copy)

    return edit


def swapped(place: Place, at: int) -> Edit:
    """Change the places of a record and the next one, and leave numbers and offsets as they are."""

    def edit(written: Written, _: Stores) -> None:
        records = written.places[place]
        first, second = records[at], records[at + 1]
        numbers = [
            {name: one.headers[name] for name in ("seq",) if name in one.headers}
            for one in (first, second)
        ]
        records[at] = replace(second, offset=first.offset, headers={**second.headers, **numbers[0]})
        records[at + 1] = replace(
            first, offset=second.offset, headers={**first.headers, **numbers[1]}
        )

    return edit


def altered(place: Place, at: int, old: str, new: str) -> Edit:
    def edit(written: Written, _: Stores) -> None:
        record = written.places[place][at]
        value = (record.value or b"").replace(old.encode(), new.encode())
        assert value != record.value, f"nothing is altered: {record}"
        written.places[place][at] = replace(record, value=value)

    return edit


def said(place: Place, at: int, **headers: str) -> Edit:
    """Put other contents into headers; an empty one is left out."""

    def edit(written: Written, _: Stores) -> None:
        record = written.places[place][at]
        changed = {name.replace("_", "-"): text for name, text in headers.items()}
        kept = {name: text for name, text in {**record.headers, **changed}.items() if text}
        written.places[place][at] = replace(record, headers=kept)

    return edit


def moved(place: Place, at: int) -> Edit:
    """Put a record into the other partition."""

    def edit(written: Written, _: Stores) -> None:
        record = written.places[place].pop(at)
        written.places[place[0], ASTRAY].append(replace(record, partition=ASTRAY))

    return edit


def of_row(table: str, key: str, row: bytes | None) -> Edit:
    """Change a row of the worker's store, or take it out."""

    def edit(_: Written, stores: Stores) -> None:
        content = stores.of[HOME].content
        if row is None:
            del content[table.encode(), key.encode()]
        else:
            content[table.encode(), key.encode()] = row

    return edit


def both(one: Edit, other: Edit) -> Edit:
    def edit(written: Written, stores: Stores) -> None:
        one(written, stores)
        other(written, stores)

    return edit


def appended(place: Place, at: int) -> Edit:
    """Write a record once more, with other contents, that nothing comes of."""

    def edit(written: Written, _: Stores) -> None:
        record = written.places[place][at]
        value = (record.value or b"").replace(b"CRM-77", b"CRM-78")
        copy = replace(record, value=value, offset=written.end(*place))
        written.places[place].append(copy)

    return edit


def rekeyed(place: Place, at: int) -> Edit:
    def edit(written: Written, _: Stores) -> None:
        written.places[place][at] = replace(written.places[place][at], key=b"ACC-1000")

    return edit


class Case(NamedTuple):
    what: str
    edit: Edit
    noticed_by: str


CASES: list[Case] = [
    Case("a request is dropped", dropped(REQUESTS, REFUSED), "I1 I5 I10"),
    Case("a request stands twice", doubled(REQUESTS, REFUSED), "I12"),
    Case("two requests changed places", swapped(REQUESTS, 1), "I1 I5 I11"),
    Case("what a request asks is altered", altered(REQUESTS, 0, "1000000", "1000001"), "I5 I11"),
    Case("a request is another account's", altered(REQUESTS, 2, "ACC-1001", "ACC-1002"), "I5 I11"),
    Case("a request that was sent on is dropped", dropped(REQUESTS, 8), "I1 I5 I10"),
    Case("a request that was sent on is altered", altered(REQUESTS, 8, "USD", "CHF"), "I5 I10"),
    Case("a request in a wrong partition is altered", altered(STRAYS, 0, "USD", "CHF"), "I10"),
    Case("a request in a wrong partition stands twice", doubled(STRAYS, 0), "I10"),
    Case(
        "an acknowledged request and its result are dropped",
        both(dropped(REQUESTS, 8), dropped(RESULTS, LAST)),
        "I1 I5 I10",
    ),
    Case("the newest request has no result", dropped(RESULTS, LAST), "I1 I5 I12"),
    Case("a result is dropped", dropped(RESULTS, REFUSED), "I1 I4 I5 I10"),
    Case("a result stands twice", doubled(RESULTS, REFUSED), "I1 I5 I10"),
    Case("two results changed places", swapped(RESULTS, 0), "I7 I11"),
    Case("a result is in a wrong partition", moved(RESULTS, LAST), "I1 I4 I5 I10 I12"),
    Case(
        "an amount in a result is altered",
        altered(RESULTS, APPLIED, "11100000", "11100001"),
        "I3 I5 I7 I11",
    ),
    Case(
        "a refusal is altered",
        altered(RESULTS, REFUSED, "CREDIT_EXCEEDS_REMAINING", "SUM_OUT_OF_RANGE"),
        "I5 I11",
    ),
    Case(
        "an applied request is called refused",
        altered(RESULTS, DEBITED, "APPLIED", "REFUSED"),
        "I1 I3 I4 I5 I11",
    ),
    Case("a repeat is altered", altered(RESULTS, REPLAY, "APPLIED", " APPLIED"), "I1 I4"),
    Case("a repeat is altered in its spaces", altered(RESULTS, REPLAY, "[]", "[ ]"), "I7"),
    Case("a repeat is not marked", said(RESULTS, REPLAY, replay=""), "I1 I3 I4 I11"),
    Case("a result is marked as a repeat", said(RESULTS, REFUSED, replay="true"), "I1 I5 I7 I11"),
    Case(
        "a refusal calls itself forgotten", said(RESULTS, REFUSED, remembered="false"), "I1 I5 I11"
    ),
    Case("a malformed request is remembered", said(RESULTS, MALFORMED, remembered=""), "I1 I11"),
    Case("a result is no JSON", altered(RESULTS, REFUSED, "{", "["), "I1 I4 I5"),
    Case("a result without a seq", said(RESULTS, LAST, seq=""), "I1 I4 I5 I12"),
    Case("a result of another moment", said(RESULTS, APPLIED, state_seq="0"), "I11"),
    Case(
        "a result names another request",
        said(RESULTS, REFUSED, source=f"adjustment-requests-{HOME}-3"),
        "I1 I4 I5 I11",
    ),
    Case("a result of another time", altered(RESULTS, REFUSED, "20.123Z", "20.124Z"), "I5 I11"),
    Case("an account's image is dropped", dropped(TRANSACTIONS, 0), "I3 I4 I11"),
    Case("an event's image is dropped", dropped(TRANSACTIONS, 2), "I2 I3 I4 I11"),
    Case("an adjustment is dropped", dropped(TRANSACTIONS, 3), "I2 I3 I4 I11"),
    Case("the last adjustment is dropped", dropped(TRANSACTIONS, 10), "I2 I3 I5 I11"),
    Case("an upsert's image stands twice", doubled(TRANSACTIONS, 0), "I3 I5 I11"),
    Case("an adjustment stands twice", doubled(TRANSACTIONS, 3), "I2 I3 I5 I11"),
    Case("event and adjustment changed places", swapped(TRANSACTIONS, 2), "I2 I3 I11"),
    Case("an effect is altered", altered(TRANSACTIONS, 3, "-1000000", "-1000001"), "I2 I3 I11"),
    Case(
        "a current amount is altered", altered(TRANSACTIONS, 2, "1926446", "1926445"), "I2 I3 I11"
    ),
    Case("an amount below zero", altered(TRANSACTIONS, 2, "9173554", "-173554"), "I2 I3 I11"),
    Case("a version is left out", altered(TRANSACTIONS, 6, '"version":2', '"version":3'), "I5 I11"),
    Case(
        "the comment of an adjustment is altered",
        altered(TRANSACTIONS, 3, "roaming", "ROAMING"),
        "I3 I11",
    ),
    Case(
        "what rating said is altered in its image",
        altered(TRANSACTIONS, 1, "DATA_ROAMING", "DATA"),
        "I3 I11",
    ),
    Case("an image names no source", said(TRANSACTIONS, 1, source=""), "I2 I3 I4 I11"),
    Case(
        "an image of an upsert names a request",
        said(TRANSACTIONS, 1, source=f"adjustment-requests-{HOME}-0"),
        "I3 I4",
    ),
    Case("a business transaction has another key", rekeyed(TRANSACTIONS, 0), "I3"),
    Case("a dead letter is dropped", dropped(LETTERS, 0), "I1 I10"),
    Case("a dead letter stands twice", doubled(LETTERS, 0), "I10"),
    Case("a dead letter is altered", altered(LETTERS, 0, "request", "REQUEST"), "I10"),
    Case("a dead letter names another record", said(LETTERS, 0, dlq_offset="99"), "I1 I10"),
    Case("a dead letter is of an answered request", said(LETTERS, 0, dlq_offset="2"), "I1 I10"),
    Case("a dead letter gives another reason", said(LETTERS, 0, dlq_code="NO_KEY"), "I10"),
    Case("a dead letter of an event is dropped", dropped(LETTERS_OF_EVENTS, 0), "I3"),
    Case("the newest record of an account is dropped", dropped(ACCOUNTS, 2), "I3"),
    Case("a record of an account is altered", altered(ACCOUNTS, 2, "SUSPENDED", "ACTIVE"), "I3"),
    Case("an account is sent that nothing came of", appended(ACCOUNTS, 0), "I12"),
    Case("a chargeable event is dropped", dropped(EVENTS, 0), "I3"),
    Case("a chargeable event is altered", altered(EVENTS, 4, "DATA_ROAMING", "DATA"), "I3"),
    Case(
        "a chargeable event that said nothing new is altered",
        altered(EVENTS, 1, "DATA_ROAMING", "DATA"),
        "I3",
    ),
    Case("two chargeable events changed places", swapped(EVENTS, 3), "I3"),
    Case(
        "a row is dropped from the changelog of accounts", dropped((ACCOUNT_ROWS, HOME), 1), "I5 I6"
    ),
    Case(
        "a row is altered in the changelog of accounts",
        altered((ACCOUNT_ROWS, HOME), 1, "SUSPENDED", "ACTIVE"),
        "I5 I6",
    ),
    Case("an old row stands last in the changelog of events", doubled((EVENT_ROWS, HOME), 0), "I5"),
    Case(
        "a row is altered in the changelog of events",
        altered((EVENT_ROWS, HOME), 3, "BILLED", "RATED"),
        "I5 I6",
    ),
    Case(
        "a row is dropped from the changelog of answers", dropped((ANSWER_ROWS, HOME), 1), "I5 I6"
    ),
    Case(
        "a row is altered in the changelog of answers",
        altered((ANSWER_ROWS, HOME), 1, "10000000-", "10000001-"),
        "I5 I6",
    ),
    Case(
        "an applied answer is altered in its changelog",
        altered((ANSWER_ROWS, HOME), 4, "crm:jane", "crm:joan"),
        "I5 I6",
    ),
    Case(
        "a row of the changelog of answers forgets its reversal",
        dropped((ANSWER_ROWS, HOME), 2),
        "I5 I6",
    ),
    Case(
        "two rows of one event changed places in the changelog",
        swapped((EVENT_ROWS, HOME), 2),
        "I5 I6",
    ),
    Case("the newest progress is dropped", dropped((PROGRESS_ROWS, HOME), -1), "I5 I6"),
    Case(
        "progress is altered",
        altered((PROGRESS_ROWS, HOME), -1, '"adjustment-results":8', '"adjustment-results":9'),
        "I5 I6",
    ),
    Case(
        "a row is missing in a store",
        of_row("chargeable-events", f"{ACCOUNT}/CE-500001", None),
        "I6",
    ),
    Case("a row is altered in a store", of_row("accounts", ACCOUNT, b"{}"), "I6"),
    Case("a row too many is in a store", of_row("accounts", "ACC-9999", b"{}"), "I6"),
    Case("progress is altered in a store", of_row("progress", "progress", b"{}"), "I6"),
]


def findings_of(edit: Edit, in_memory_max: int = IN_MEMORY_MAX) -> Findings:
    written, stores = good_run()
    edit(written, stores)
    acknowledged = Acknowledged(lambda: ACKNOWLEDGED)
    return verify(
        written, PARTITIONS, stores, Beside(acknowledged=acknowledged, in_memory_max=in_memory_max)
    )


def broken(findings: Findings) -> str:
    found = dict.fromkeys(each.invariant for each in findings.checks if each.disagreements)
    return " ".join(found)


def test_a_good_run_is_agreed_with() -> None:
    findings = findings_of(lambda _written, _stores: None)
    assert findings.lines == []
    assert all(check.rows for check in findings.checks), "each check looked at something"
    assert findings.totals == {
        "requests": 10,
        "results": 8,
        "dead letters": 1,
        "sent on": 1,
        "chargeable events": 2,
    }


@pytest.mark.parametrize("case", CASES, ids=[case.what for case in CASES])
def test_it_is_noticed_that(case: Case) -> None:
    assert broken(findings_of(case.edit)) == case.noticed_by


def test_each_invariant_is_broken_by_some_edit() -> None:
    named = {name for case in CASES for name in case.noticed_by.split()}
    assert named == {f"I{number}" for number in (*range(1, 8), 10, 11, 12)}

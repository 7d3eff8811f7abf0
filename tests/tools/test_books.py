"""The books find every change to a good log, each by the check that is meant to find it."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tools.verify.books import Books
from tools.verify.charges import Charges
from tools.verify.log import Record, murmur2

PARTITIONS = dict.fromkeys(
    (
        "adjustment-requests",
        "adjustment-results",
        "business-transactions",
        "dlq-adjustment-requests",
    ),
    12,
)
ACCOUNT = "ACC-1001"
HOME = murmur2(ACCOUNT.encode()) % 12
ASTRAY = (HOME + 1) % 12
REQUEST_ID = "7d8f3f3e-6f0a-4d2b-9a51-0c8a5f6f2f10"
REFUSED_ID = "0a4bfb0e-0f2a-4a63-a6be-9a8f5a9b9f11"
ORIGINAL, EFFECT, CURRENT = (
    (10_000_000, 2_100_000, 12_100_000),
    (-826_446, -173_554, -1_000_000),
    (9_173_554, 1_926_446, 11_100_000),
)

Edit = Callable[[list[Record]], list[Record]]
Object = dict[str, object]


def amounts(three: tuple[int, int, int]) -> dict[str, int]:
    names = ("taxExcludedAmount", "taxAmount", "taxIncludedAmount")
    return dict(zip(names, three, strict=True))


def event(version: int, adjusted: tuple[int, int, int], current: tuple[int, int, int]) -> Object:
    return {
        "refId": "CE-500001",
        "account": {"refId": ACCOUNT},
        "original": amounts(ORIGINAL),
        "adjusted": amounts(adjusted),
        "current": amounts(current),
        "adjustmentCount": version - 1,
        "version": version,
    }


ADJUSTMENT: Object = {
    "refId": f"ADJ-{ACCOUNT}-{REQUEST_ID}",
    "requestId": REQUEST_ID,
    "account": {"refId": ACCOUNT},
    "chargeableEventRefId": "CE-500001",
    "effect": amounts(EFFECT),
    "before": amounts(ORIGINAL),
    "after": amounts(CURRENT),
    "reversalOf": None,
}
RATED = event(1, (0, 0, 0), ORIGINAL)
ADJUSTED = event(2, EFFECT, CURRENT)


def record(
    topic: str, offset: int, value: object, headers: dict[str, str], at: int = HOME
) -> Record:
    return Record(topic, at, offset, ACCOUNT.encode(), json.dumps(value).encode(), headers)


def request(offset: int, request_id: str, at: int = HOME, found_at: str = "") -> Record:
    headers = {"found-at": found_at} if found_at else {}
    return record("adjustment-requests", offset, {"requestId": request_id}, headers, at)


def result(offset: int, of: int, request_id: str, *codes: str, **headers: str) -> Record:
    value = {
        "requestId": request_id,
        "account": {"refId": ACCOUNT},
        "status": "REFUSED" if codes else "APPLIED",
        "adjustment": None if codes else ADJUSTMENT,
        "chargeableEvent": None if codes else ADJUSTED,
        "errors": [{"code": code, "field": "user", "message": "."} for code in codes],
    }
    source = f"adjustment-requests-{HOME}-{of}"
    more = {"seq": str(offset + 1), "source": source} | headers
    return record("adjustment-results", offset, value, more)


def image(offset: int, kind: str, source: str, value: Object) -> Record:
    headers = {"seq": str(offset + 1), "source": source, "X-Ocs-Io-message-code": kind}
    return record("business-transactions", offset, value, headers)


def good_log() -> list[Record]:
    """Two upserts; an applied request, its repeat, a refused, a malformed, a dead, a stray one."""
    source = f"adjustment-requests-{HOME}-0"
    address = {"dlq-topic": "adjustment-requests", "dlq-partition": str(HOME), "dlq-offset": "4"}
    return [
        request(0, REQUEST_ID),
        request(1, REQUEST_ID),
        request(2, REFUSED_ID),
        request(3, REQUEST_ID),
        request(4, ""),
        request(7, "dd000000-0000-4000-8000-000000000000", at=ASTRAY),
        request(
            5, "dd000000-0000-4000-8000-000000000000", found_at=f"adjustment-requests-{ASTRAY}-7"
        ),
        image(0, "account", f"accounts-{HOME}-0", {"refId": ACCOUNT}),
        image(1, "chargeableEvent", f"chargeable-events-{HOME}-0", RATED),
        image(2, "chargeableEvent", source, ADJUSTED),
        image(3, "adjustment", source, ADJUSTMENT),
        result(0, 0, REQUEST_ID),
        result(1, 1, REQUEST_ID, replay="true"),
        result(2, 2, REFUSED_ID, "CURRENCY_MISMATCH"),
        result(3, 3, REQUEST_ID, "REQUEST_ID_REUSED", remembered="false"),
        result(4, 5, "dd000000-0000-4000-8000-000000000000", "CHARGEABLE_EVENT_NOT_FOUND"),
        record("dlq-adjustment-requests", 0, "", address),
    ]


def find(log: list[Record], topic: str, offset: int) -> int:
    return next(
        place
        for place, one in enumerate(log)
        if one.topic == topic and one.offset == offset and one.partition == HOME
    )


def dropped(topic: str, offset: int) -> Edit:
    return lambda log: [one for one in log if one is not log[find(log, topic, offset)]]


def doubled(topic: str, offset: int) -> Edit:
    def edit(log: list[Record]) -> list[Record]:
        last = max(one.offset for one in log if one.topic == topic)
        copy = replace(log[find(log, topic, offset)], offset=last + 1)
        headers = {**copy.headers, "seq": str(last + 2)} if "seq" in copy.headers else {}
        return [*log, replace(copy, headers=headers)]

    return edit


def swapped(topic: str, offset: int) -> Edit:
    def edit(log: list[Record]) -> list[Record]:
        one, next_one = find(log, topic, offset), find(log, topic, offset + 1)
        log[one], log[next_one] = (
            replace(log[next_one], offset=offset),
            replace(log[one], offset=offset + 1),
        )
        return log

    return edit


def altered(topic: str, offset: int, old: str, new: str) -> Edit:
    def edit(log: list[Record]) -> list[Record]:
        place = find(log, topic, offset)
        value = (log[place].value or b"").replace(old.encode(), new.encode())
        assert value != log[place].value
        log[place] = replace(log[place], value=value)
        return log

    return edit


def header(topic: str, offset: int, **headers: str) -> Edit:
    def edit(log: list[Record]) -> list[Record]:
        place = find(log, topic, offset)
        log[place] = replace(log[place], headers={**log[place].headers, **headers})
        return log

    return edit


REQUESTS, RESULTS = "adjustment-requests", "adjustment-results"
TRANSACTIONS, DEAD_LETTERS = "business-transactions", "dlq-adjustment-requests"

EDITS: list[tuple[str, Edit, str]] = [
    ("a request is lost", dropped(REQUESTS, 2), "is no request"),
    ("the copy of a stray request is lost", dropped(REQUESTS, 5), "sent on 0 times"),
    ("a request stands twice", doubled(REQUESTS, 2), "0 results, 0 dead letters"),
    ("two requests changed places", swapped(REQUESTS, 1), "is not what"),
    ("a request is altered", altered(REQUESTS, 2, "0a4b", "1a4b"), "is not what"),
    ("a result is lost", dropped(RESULTS, 2), "0 results"),
    ("a result is lost: seq", dropped(RESULTS, 2), "seq is 4, 3 comes next"),
    ("a result stands twice", doubled(RESULTS, 2), "2 results"),
    ("a result stands twice: memory", doubled(RESULTS, 2), "decided twice"),
    ("two results changed places", swapped(RESULTS, 0), "is not like the first result"),
    ("a result is altered", altered(RESULTS, 0, "11100000", "11100001"), "tells other than"),
    ("a repeat is altered", altered(RESULTS, 1, "[]", "[ ]"), "is not like the first result"),
    ("a result calls itself forgotten", header(RESULTS, 2, remembered="false"), "wrongly"),
    ("a malformed result is remembered", header(RESULTS, 3, remembered=""), "wrongly"),
    ("a result is no JSON", altered(RESULTS, 2, "{", "["), "not of the agreed form"),
    ("an event image is lost", dropped(TRANSACTIONS, 2), "one event, one adjustment"),
    ("an event image is lost: sums", dropped(TRANSACTIONS, 2), "stands there"),
    ("an adjustment is lost", dropped(TRANSACTIONS, 3), "one event, one adjustment"),
    ("an adjustment is lost: sums", dropped(TRANSACTIONS, 3), "stands there"),
    ("an adjustment stands twice", doubled(TRANSACTIONS, 3), "2 adjustments of"),
    ("an upsert is published twice", doubled(TRANSACTIONS, 0), "published 2 times"),
    ("event and adjustment changed places", swapped(TRANSACTIONS, 2), "seq is 4, 3 comes next"),
    ("an effect is altered", altered(TRANSACTIONS, 3, "-1000000", "-1000001"), "is not"),
    ("a current amount is altered", altered(TRANSACTIONS, 2, "1926446", "1926445"), "add up"),
    ("an amount is below zero", altered(TRANSACTIONS, 2, "9173554", "-173554"), "below zero"),
    ("a version is left out", altered(TRANSACTIONS, 2, 'version": 2', 'version": 3'), "follows"),
    ("a dead letter is lost", dropped(DEAD_LETTERS, 0), "0 dead letters"),
    ("a dead letter names another", header(DEAD_LETTERS, 0, **{"dlq-offset": "9"}), "no request"),
    ("a dead letter is of an answered", header(DEAD_LETTERS, 0, **{"dlq-offset": "2"}), "1 dead"),
]


def disagreements(log: list[Record]) -> list[str]:
    return Books.of(log, PARTITIONS).disagreements()


def test_the_books_of_a_good_log_agree() -> None:
    assert disagreements(good_log()) == []


@pytest.mark.parametrize(("edit", "finding"), [one[1:] for one in EDITS], ids=[e[0] for e in EDITS])
def test_the_books_notice_that(edit: Edit, finding: str) -> None:
    found = disagreements(edit(good_log()))
    assert any(finding in line for line in found), found


def test_the_books_notice_a_record_in_a_wrong_partition() -> None:
    log = good_log()
    place = find(log, RESULTS, 4)
    log[place] = replace(log[place], partition=ASTRAY)
    assert any("belongs to another partition" in line for line in disagreements(log))


def test_the_books_notice_an_adjustment_whose_result_says_refused() -> None:
    log = good_log()
    log[find(log, RESULTS, 0)] = result(0, 0, REQUEST_ID, "CURRENCY_MISMATCH")
    assert any("no applied result" in line for line in disagreements(log))


def test_the_books_name_acknowledged_requests_that_have_no_result() -> None:
    books = Books.of(good_log(), PARTITIONS)
    assert books.missing([(ACCOUNT, REQUEST_ID), (ACCOUNT, REFUSED_ID)]) == []
    assert books.missing([(ACCOUNT, "gone")]) == [
        "Request gone of account ACC-1001 was acknowledged and has no result."
    ]


def test_the_books_list_what_is_not_decided_yet() -> None:
    log = [*good_log(), request(6, "ee000000-0000-4000-8000-000000000000")]
    assert Books.of(log, PARTITIONS).undecided() == [f"adjustment-requests-{HOME}-6"]


def test_a_line_about_money_reads_like_a_bill() -> None:
    found = disagreements(dropped(TRANSACTIONS, 3)(good_log()))
    assert (
        "Chargeable event CE-500001 of account ACC-1001: charged 10.00 + 2.10 tax = 12.10, "
        "0 adjustments of 0.00 + 0.00 tax = 0.00 in all, but "
        "9.173554 + 1.926446 tax = 11.10 stands there."
    ) in found


UNDONE: Object = {
    **ADJUSTMENT,
    "refId": f"ADJ-{ACCOUNT}-{REFUSED_ID}",
    "effect": amounts((826_446, 173_554, 1_000_000)),
    "before": amounts(CURRENT),
    "after": amounts(ORIGINAL),
    "reversalOf": ADJUSTMENT["refId"],
}


def reversed_with(edit: Object) -> list[str]:
    """An adjustment and its reversal, which is changed by `edit`."""
    charges, at = Charges(), record("business-transactions", 0, {}, {})
    for version, adjusted, current in ((1, (0, 0, 0), ORIGINAL), (2, EFFECT, CURRENT)):
        charges.enter_event(at, event(version, adjusted, current))
    charges.enter_adjustment(at, ADJUSTMENT)
    charges.enter_event(at, event(3, (0, 0, 0), ORIGINAL))
    charges.enter_adjustment(at, UNDONE | edit)
    return list(charges.disagreements())


def test_the_books_of_a_reversal_agree() -> None:
    assert reversed_with({}) == []


@pytest.mark.parametrize(
    "edit",
    [
        {"reversalOf": "ADJ-unknown"},
        {"effect": amounts((826_445, 173_555, 1_000_000))},
    ],
)
def test_the_books_notice_a_reversal_that_is_not_the_opposite(edit: Object) -> None:
    assert any("not its opposite" in line for line in reversed_with(edit))


def test_the_books_notice_a_reversal_of_a_reversal() -> None:
    charges, at = Charges(), record("business-transactions", 0, {}, {})
    charges.enter_event(at, RATED)
    again = UNDONE | {"refId": "ADJ-3", "reversalOf": UNDONE["refId"], "effect": amounts(EFFECT)}
    for image in (ADJUSTMENT, UNDONE, again):
        charges.enter_adjustment(at, image)
    assert any("itself a reversal" in line for line in charges.disagreements())


def test_the_books_notice_a_second_reversal() -> None:
    charges, at = Charges(), record("business-transactions", 0, {}, {})
    charges.enter_event(at, RATED)
    for image in (ADJUSTMENT, UNDONE, UNDONE):
        charges.enter_adjustment(at, image)
    assert any("a second time" in line for line in charges.disagreements())

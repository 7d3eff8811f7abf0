"""Searches find what plain loops over the images find, in the same order, page by page."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.adjustment_search import RequestFilters, RequestKey
from api.event_filters import EventFilters, EventKey
from api.event_search import Effort
from api.results import Answer
from api.rows import Received, Rows
from api.searching import Searches
from api.store import Store
from tests.api.books import Books
from tests.api.builders import an_answer
from tests.api.images import entered, image_of, received
from tests.postgres import on_both_databases

pytestmark = on_both_databases

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
# Few letters and beginnings of each other, so that every filter finds some rows and not others.
ACCOUNTS = ("A", "A-1", "AB", "a1", "B")
REF_IDS = ("A", "A-1", "B", "C-1", "C-10", "C-2", "c")
EXTERNAL_IDS = (None, "A", "AB 1", "é_%", "b")
WORDS = ("a", "b", "AB", "A-1", "é", "twice")
REQUEST_IDS = tuple(
    f"{first}0000000-0000-4000-8000-00000000000{n}" for first in "ab1" for n in "012"
)
USAGES, KINDS, STATES = (
    ("X", "Y"),
    ("USAGE", "ONE_TIME_FEE"),
    ("NONE", "INCREASED", "FULLY_CREDITED"),
)
MOMENTS = range(-1, 4)
QUESTIONS = (
    *("A", "A-", "A-1", "AB", "a", "b", "B", "C-1", "é", "_", "%", "A'", "A0", "1", "B0000000"),
    *("twice", "a b", "TWICE ab", "AB 1", "twi", "a1 1", "-", "--", REQUEST_IDS[0]),
)
ATTRIBUTES = ("usageType", "kind", "status", "currency", "adjustmentState")
EXAMPLE = json.loads(image_of("chargeable-event"))
Steps = list[dict[str, Any]]


class Walk(NamedTuple):
    """How pages are walked through."""

    limit: int
    effort: Effort


def microseconds(moment: int) -> int:
    return round((BEGAN + timedelta(hours=moment)).timestamp() * 1_000_000)


steps = st.lists(
    st.fixed_dictionaries(
        {
            "place": st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(REF_IDS)),
            "usageType": st.sampled_from(USAGES),
            "kind": st.sampled_from(KINDS),
            "status": st.sampled_from(("RATED", "BILLED")),
            "currency": st.sampled_from(("EUR", "USD")),
            "adjustmentState": st.sampled_from(STATES),
            "amount": st.integers(0, 3),
            "moment": st.sampled_from(MOMENTS),
            "comment": st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
        }
    ),
    max_size=25,
)
filters = st.builds(
    EventFilters,
    account=st.none() | st.sampled_from(ACCOUNTS),
    since=st.none() | st.sampled_from(MOMENTS).map(microseconds),
    before=st.none() | st.sampled_from(MOMENTS).map(microseconds),
    usage_type=st.none() | st.sampled_from((*USAGES, "Z")),
    kind=st.none() | st.sampled_from(KINDS),
    status=st.none() | st.sampled_from(("RATED", "BILLED")),
    adjustment_state=st.none() | st.sampled_from(STATES),
    currency=st.none() | st.sampled_from(("EUR", "USD")),
    min_amount=st.none() | st.integers(0, 4),
    max_amount=st.none() | st.integers(0, 4),
    q=st.none() | st.sampled_from(QUESTIONS),
)
efforts = st.builds(
    Effort,
    few=st.sampled_from((0, 1, 3, 100)),
    newest=st.sampled_from((0, 1, 4, 100)),
    many=st.sampled_from((0, 4, 100)),
)
walks = st.builds(Walk, st.integers(1, 4), efforts)
law = settings(max_examples=150, suppress_health_check=[*HealthCheck])


class Publisher:
    """Publishes to the books and to the store alike."""

    def __init__(self, store: Store) -> None:
        self.books = Books()
        self._store = store
        self._requests = iter(REQUEST_IDS)
        store.start_anew("cluster")
        for account, external_id in zip(ACCOUNTS, EXTERNAL_IDS, strict=True):
            self.books.external_ids[account] = external_id
            image = image_of("account", refId=account, externalId=external_id)
            store.keep(entered(b"account", image))

    def publish(self, made: Steps) -> None:
        """Publish an event each, and an adjustment of it where its state says so."""
        for step in made:
            place = step["place"]
            moment = BEGAN + timedelta(hours=step["moment"])
            amounts = {"taxExcludedAmount": step["amount"], "taxAmount": 0}
            attributes = {
                "refId": place[1],
                "account": {"refId": place[0]},
                "eventDate": moment.isoformat(),
                "current": amounts | {"taxIncludedAmount": step["amount"]},
                **{name: step[name] for name in ATTRIBUTES},
            }
            image = json.dumps(EXAMPLE | attributes).encode()
            self._store.keep(entered(b"chargeableEvent", image))
            self.books.events[place] = image
            if step["adjustmentState"] != "NONE" and (request := next(self._requests, None)):
                self._adjust(place, request, step["comment"])

    def _adjust(self, place: tuple[str, str], request: str, comment: str) -> None:
        changed = json.loads(self.books.events[place])
        changed["current"]["taxIncludedAmount"] += 1
        image = json.dumps(changed).encode()
        adjustment = image_of(
            "adjustment",
            requestId=request,
            account={"refId": place[0]},
            chargeableEventRefId=place[1],
            comment=comment,
            eventVersion=len(self.books.requests.get(place, ())) + 2,
            reversalOf=None,
        )
        asked = received(place[0], requestId=request, chargeableEventRefId=place[1])
        self._store.keep(Rows(requests=[asked]))
        self._store.keep(entered(b"chargeableEvent", image, request=request))
        self._store.keep(entered(b"adjustment", adjustment, request=request))
        self.books.events[place] = image
        self.books.requests.setdefault(place, []).append(request)
        self.books.comments.setdefault(place, []).append(comment)


def pages(searches: Searches, asked: EventFilters, limit: int) -> Iterator[list[bytes]]:
    """Walk through all pages."""
    after: EventKey | None = None
    for number in count():
        page = searches.events(asked, limit, after)
        assert len(page.items) == limit or page.last is None
        assert page.items or not number, "a page that follows has something"
        yield page.items
        after = page.last
        if after is None:
            return


@law
@given(made=steps, asked=filters, walk=walks)
def test_all_pages_together_are_what_fits_in_order(
    store: Store, made: Steps, asked: EventFilters, walk: Walk
) -> None:
    publisher = Publisher(store)
    publisher.publish(made)
    searches = Searches(store.engine, walk.effort)

    found = [item for page in pages(searches, asked, walk.limit) for item in page]

    assert found == publisher.books.find(asked)


def test_a_word_finds_its_events_where_rating_moved_them_to(store: Store) -> None:
    for place, hour in (("C-1", 2), ("C-2", 1)):
        ids = {"refId": place, "account": {"refId": "A"}}
        moment = (BEGAN + timedelta(hours=hour)).isoformat()
        store.keep(entered(b"chargeableEvent", image_of("chargeable-event", **ids)))
        told = {"account": {"refId": "A"}, "chargeableEventRefId": place, "comment": "twice"}
        store.keep(entered(b"adjustment", image_of("adjustment", **told)))
        moved = image_of("chargeable-event", **ids, eventDate=moment)
        store.keep(entered(b"chargeableEvent", moved))

    (newer, older) = pages(Searches(store.engine), EventFilters(q="twice"), 1)

    assert [json.loads(item)["refId"] for item in newer + older] == ["C-1", "C-2"]


@law
@given(made=steps, late=steps, asked=filters, walk=walks)
def test_what_arrives_between_pages_repeats_and_hides_nothing(
    store: Store, made: Steps, late: Steps, asked: EventFilters, walk: Walk
) -> None:
    publisher = Publisher(store)
    publisher.publish(made)
    searches = Searches(store.engine, walk.effort)
    expected, known = publisher.books.find(asked), set(publisher.books.events)
    arriving = iter([step for step in late if step["place"] not in known])

    found = []
    for page in pages(searches, asked, walk.limit):
        found += page
        publisher.publish([step | {"adjustmentState": "NONE"} for step in islice(arriving, 2)])

    assert [item for item in found if item in expected] == expected
    assert len(found) == len(set(found))


requests = st.lists(
    st.fixed_dictionaries(
        {
            "account": st.sampled_from(ACCOUNTS[:2]),
            "request_id": st.sampled_from((*REQUEST_IDS[:4], "no guid", "x" * 200)),
            "chargeable_event_ref_id": st.sampled_from((None, *REF_IDS[:2])),
            "user": st.sampled_from((None, "crm:jane", "é")),
            "second": st.integers(0, 2),
            "result": st.sampled_from((None, "APPLIED", "REFUSED")),
            "is_remembered": st.booleans(),
            "is_used_again": st.booleans(),
        }
    ),
    max_size=15,
    unique_by=lambda each: (each["account"], each["request_id"]),
)
request_filters = st.builds(
    RequestFilters,
    account=st.none() | st.sampled_from(ACCOUNTS[:2]),
    event=st.none() | st.sampled_from(REF_IDS[:2]),
    status=st.none() | st.sampled_from(("RECEIVED", "APPLIED", "REFUSED")),
    user=st.none() | st.sampled_from(("crm:jane", "é")),
    since=st.none() | st.integers(0, 2_000_001),
    before=st.none() | st.integers(0, 2_000_001),
)


@law
@given(made=requests, asked=request_filters, limit=st.integers(1, 3))
def test_requests_are_found_with_what_they_came_to(
    store: Store, made: Steps, asked: RequestFilters, limit: int
) -> None:
    store.start_anew("cluster")
    store.keep(Rows(requests=[*map(asked_in, made)], answers=[*answers(made)]))
    searches = Searches(store.engine)

    found, after = [], None
    for _ in range(len(made) + 1):
        page = searches.requests(asked, limit, after)
        found += [told(json.loads(item)) for item in page.items]
        after = page.last
        if after is None:
            break

    fitting = sorted(
        (each for each in made if fits(each, asked)),
        key=lambda each: (-each["second"], each["account"], each["request_id"]),
    )
    assert after is None
    assert found == [(each["account"], each["request_id"], standing(each)) for each in fitting]


def asked_in(made: dict[str, Any]) -> Received:
    names = ("account", "request_id", "chargeable_event_ref_id", "user")
    return Received(
        **{name: made[name] for name in names},
        topic_offset=8 if made["is_used_again"] else 7,
        requested_at=f"1970-01-01T00:00:0{made['second']}.000Z",
        asked=b"{}",
    )


def answers(made: Steps) -> Iterator[Answer]:
    for each in made:
        if each["result"]:
            named = {"account": each["account"], "request_id": each["request_id"]}
            value = image_of(
                "adjustment-result",
                requestId=each["request_id"],
                account={"refId": each["account"]},
                status=each["result"],
            )
            noted = {"status": each["result"], "is_remembered": each["is_remembered"]}
            yield an_answer(value, request_offset=7, **named, **noted)


def standing(made: dict[str, Any]) -> str:
    is_open = made["is_used_again"] and not made["is_remembered"]
    return "RECEIVED" if is_open else made["result"] or "RECEIVED"


def fits(made: dict[str, Any], asked: RequestFilters) -> bool:
    moment = made["second"] * 1_000_000
    return (
        asked.account in {None, made["account"]}
        and asked.event in {None, made["chargeable_event_ref_id"]}
        and asked.user in {None, made["user"]}
        and asked.status in {None, standing(made)}
        and (asked.since is None or moment >= asked.since)
        and (asked.before is None or moment < asked.before)
    )


def told(item: dict[str, Any]) -> tuple[str, str, str]:
    return item["account"]["refId"], item["requestId"], item["status"]


def test_a_cursor_stays_short_after_an_id_that_no_valid_request_has(store: Store) -> None:
    for letter in "ab":
        odd = {"account": "A", "request_id": letter * 100_000, "user": None, "second": 1}
        also = {"chargeable_event_ref_id": None, "is_used_again": False}
        store.keep(Rows(requests=[asked_in(odd | also)]))
    searches = Searches(store.engine)

    first = searches.requests(RequestFilters(), 1)

    assert isinstance(first.last, RequestKey)
    assert len(first.last.request_id) < 300
    (second,) = searches.requests(RequestFilters(), 1, first.last).items
    assert b"bbb" in second


def test_a_history_is_in_the_order_of_versions(store: Store) -> None:
    versions = [10, 2, 9]
    for version, request in zip(versions, REQUEST_IDS, strict=False):
        image = image_of("adjustment", requestId=request, eventVersion=version)
        store.keep(entered(b"adjustment", image))
    searches, (account, event) = Searches(store.engine), ("ACC-1001", "CE-500001")

    first = searches.history(account, event, 2)

    assert [json.loads(item)["eventVersion"] for item in first.items] == [2, 9]
    assert first.last == 9
    rest = searches.history(account, event, 2, first.last)
    assert ([json.loads(item)["eventVersion"] for item in rest.items], rest.last) == ([10], None)
    assert searches.history("ACC-2", event, 2).items == []

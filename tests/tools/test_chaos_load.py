"""The load of chaos sends whatever the world may send, and says where it could not."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from schemas.adjustment import AdjustmentRequest
from schemas.reading import MalformedRequest, Unreadable, read_request
from tools.chaos.load import ANY_PARTITIONER, LARGE, OVERSIZE_BYTES, TENS, Load
from tools.load import Outgoing, Sender
from tools.verify.topics import ACCOUNTS, EVENTS, REQUESTS
from tools.waiting import wait_until

AS_FAST_AS_IT_GOES = 1e6
MANY, SEED = 3_000, "5"  # the first many records of this seed hold all that is looked for
NOBODY = {"bootstrap.servers": "127.0.0.1:1", "log_level": "0"}
IMPATIENT = NOBODY | {"message.timeout.ms": "50"}


class Notes(Sender):
    """Notes what it is given, all of it acknowledged at once, until it is full."""

    def __init__(self, room: float, options: Mapping[str, str]) -> None:
        super().__init__({**NOBODY, **options})
        self.options, self.room = options, room
        self.sent: list[Outgoing] = []

    def send(self, outgoing: Outgoing) -> None:
        if len(self.sent) >= self.room:
            message = "no room"
            raise OSError(message)
        self.sent.append(outgoing)
        if outgoing.request_id:
            self.acknowledged.append((outgoing.account, outgoing.request_id))


class Past:
    """A load that sent a while, then late ones too, and was stopped."""

    def __init__(self) -> None:
        self._senders: list[Notes] = []
        self.load = Load({}, AS_FAST_AS_IT_GOES, SEED, self._connect)
        self.load.start()
        wait_until(partial(self.has_sent, MANY), "many were sent")
        self.count_early = len(self.usual)
        self.load.send_late_ones()
        wait_until(partial(self.has_sent, self.count_early + MANY), "many more were sent")
        self.load.stop()

    def has_sent(self, count: int) -> bool:
        return len(self.usual) >= count

    @property
    def usual(self) -> list[Outgoing]:
        return self._senders[0].sent

    @property
    def astray(self) -> list[Outgoing]:
        (sender,) = (
            each for each in self._senders if ANY_PARTITIONER.items() <= each.options.items()
        )
        return sender.sent

    @property
    def spoilt(self) -> list[Outgoing]:
        (sender,) = (each for each in self._senders if LARGE.items() <= each.options.items())
        return sender.sent

    @property
    def requests(self) -> Iterator[Outgoing]:
        return (each for each in self.usual if each.topic == REQUESTS)

    def _connect(self, options: Mapping[str, str]) -> Notes:
        self._senders.append(Notes(float("inf"), options))
        return self._senders[-1]


@pytest.fixture(scope="module")
def past() -> Past:
    return Past()


def test_all_modes_treatments_and_reversals_are_asked_for_and_what_is_malformed_too(
    past: Past,
) -> None:
    read = [read_request(each.value) for each in past.requests]
    good = [request for request in read if isinstance(request, AdjustmentRequest)]

    assert {request.adjustment_mode for request in good} >= {"AMOUNT", "PERCENT", "SET_TO", "FULL"}
    assert {request.tax_treatment for request in good} >= {"PROPORTIONAL", "NO_TAX", "TAX_ONLY"}
    assert {request.charge_type for request in good} >= {"CREDIT", "DEBIT"}
    assert any(request.reversal_of for request in good)
    assert any(isinstance(request, MalformedRequest) for request in read)


def test_ids_come_again_with_the_same_content_and_with_another(past: Past) -> None:
    asked: dict[tuple[str, str], set[str | None]] = {}
    for each in past.requests:
        request = read_request(each.value)
        if isinstance(request, AdjustmentRequest):
            name = (each.account, request.request_id)
            asked.setdefault(name, set()).add(request.comment)

    assert any(len(comments) > 1 for comments in asked.values())
    assert past.load.counts["sent again, late and in another order"] > MANY / 5


def test_some_go_again_only_when_late_ones_may(past: Past) -> None:
    early, later = set(past.usual[: past.count_early]), past.usual[past.count_early :]
    assert sum(each in early for each in later) > MANY / 50


def test_accounts_and_events_are_said_anew_all_the_time(past: Past) -> None:
    topics = Counter(each.topic for each in past.usual)

    assert min(topics[ACCOUNTS], topics[EVENTS]) > 10
    assert past.load.counts["upserts"] > 100


def test_some_are_malformed_some_too_large_some_without_a_key_and_some_astray(past: Past) -> None:
    values = [each.value for each in past.spoilt]

    assert any(len(value) == OVERSIZE_BYTES for value in values)
    assert any(isinstance(read_request(value), Unreadable) for value in values)
    assert any(isinstance(read_request(value), MalformedRequest) for value in values)
    # Kafka takes no record without a key where it compacts.
    assert {each.topic for each in past.spoilt if not each.account} == {EVENTS, REQUESTS}
    assert {each.topic for each in past.astray} == {ACCOUNTS, EVENTS, REQUESTS}


def test_what_is_acknowledged_is_each_well_formed_request_and_no_other(past: Past) -> None:
    well_formed = [
        (each.account, request.request_id)
        for each in (*past.usual, *past.astray)
        if each.topic == REQUESTS
        and isinstance(request := read_request(each.value), AdjustmentRequest)
    ]
    acknowledged = [(account, name.lower()) for account, name in past.load.acknowledged]

    assert sorted(acknowledged) == sorted(well_formed)
    assert past.load.failures == []


def test_first_all_accounts_but_unknown_ones_are_said_and_all_events(past: Past) -> None:
    topics = Counter(each.topic for each in past.load.first_records())
    assert topics == {ACCOUNTS: TENS * 9, EVENTS: TENS * 100}


def test_a_load_that_ends_too_soon_says_why() -> None:
    load = Load({}, AS_FAST_AS_IT_GOES, "1", partial(Notes, 5))
    load.start()
    wait_until(lambda: load.failures, "the load has failed")
    load.stop()

    assert load.failures == ["The load ended too soon: OSError('no room')."]


def test_records_that_kafka_did_not_take_are_a_failure_of_the_load() -> None:
    load = Load(IMPATIENT, AS_FAST_AS_IT_GOES, "1")
    load.start()
    wait_until(lambda: load.failures, "records have failed")
    load.stop()

    (told,) = load.failures
    assert told.startswith("The load could not send ")
    assert told.endswith(" records: Local: Message timed out.")

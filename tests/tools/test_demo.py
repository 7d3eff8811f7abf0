"""The demo data: an operator's, readable by the engine, the same each time."""

import json
from collections import Counter

from schemas.account import AccountUpsert
from schemas.chargeable_event import RatedChargeableEvent
from schemas.reading import read_account, read_rated_event
from tests.builders import event_body
from tools.demo import Message, demo_messages


def test_each_account_and_event_is_one_that_the_engine_takes() -> None:
    accounts, events = demo()

    assert len({account.ref_id for account in accounts}) == 40
    assert len({event.ref_id for event in events}) == 1000
    currencies = {account.ref_id: account.currency for account in accounts}
    for event in events:
        assert event.currency == currencies[event.account.ref_id]
        original, rate = event.original, event.tax.rate
        assert 2 * abs(original.tax_amount - original.tax_excluded_amount * rate / 10_000) <= 1
        assert event.billing_period.start <= event.event_date < event.billing_period.end
        assert (event.status == "BILLED") == (event.invoice_ref_id is not None)


def test_every_account_has_the_key_of_its_records() -> None:
    for message in demo_messages():
        content = message.content
        assert message.account == content.get("account", content)["refId"]


def test_there_is_some_of_everything() -> None:
    accounts, events = demo()

    assert {account.state for account in accounts} == {
        "ACTIVE", "SUSPENDED", "DEACTIVATED", "INACTIVE"
    }  # fmt: skip
    assert any(account.billing_in_progress for account in accounts)
    assert any(account.tax_exempt for account in accounts)
    assert {event.tax.rate for event in events} == {2100, 1000, 0}
    assert {event.kind for event in events} == {"USAGE", "RECURRING_FEE", "ONE_TIME_FEE"}
    assert min(Counter(event.status for event in events).values()) > 200


def test_it_is_the_same_each_time_and_begins_with_the_event_of_the_documentation() -> None:
    first = next(demo_messages())

    assert list(demo_messages()) == list(demo_messages())
    written = event_body()
    assert {name: first.content[name] for name in ("refId", "account", "original", "tax")} == {
        name: written[name] for name in ("refId", "account", "original", "tax")
    }


def demo() -> tuple[list[AccountUpsert], list[RatedChargeableEvent]]:
    """Give all of it as the engine reads it."""
    reads = [read(message) for message in demo_messages()]
    accounts = [each for each in reads if isinstance(each, AccountUpsert)]
    events = [each for each in reads if isinstance(each, RatedChargeableEvent)]
    assert len(accounts) + len(events) == len(reads)
    return accounts, events


def read(message: Message) -> object:
    value = json.dumps(message.content).encode()
    return read_account(value) if message.topic == "accounts" else read_rated_event(value)

"""Finance keeps the last image of each entity, a journal that adds up, and how far it read."""

from collections.abc import Iterator

import pytest

from schemas.headers import MESSAGE_CODE, SEQ
from schemas.reasons import REASONS
from streams.subscribers.errors import FencedError, HeldError, StoreError
from streams.subscribers.finance.store import FinanceStore
from streams.subscribers.images import Batch, Progress, digest_of
from tests.postgres import on_both_databases
from tests.streams.subscribers.finances import ACCOUNTS, CREDIT, Finance
from tests.streams.subscribers.topic import Partition, batch_of, record

pytestmark = on_both_databases


@pytest.fixture
def finance(database: str) -> Iterator[Finance]:
    opened = Finance(database)
    yield opened
    opened.close()


def test_each_entity_stands_as_it_was_published_last(finance: Finance) -> None:
    partition, store = Partition(number=3), finance.opened()
    partition.publish("account", externalId="CRM-1")
    partition.publish("account", externalId="CRM-2", version=2)
    partition.publish("chargeable-event", quantity=2**63 - 1, glCode=None)

    store.keep(batch_of(*partition.records[:1]))
    store.keep(batch_of(*partition.records[1:]))

    account = "SELECT ref_id, external_id, version, tax_exempt, topic_partition, topic_offset"
    assert finance.rows(f"{account} FROM account") == [("ACC-1001", "CRM-2", 2, False, 3, 2)]
    event = "SELECT account_ref_id, quantity, gl_code, current_tax_included_amount"
    assert finance.rows(f"{event} FROM chargeable_event") == [
        ("ACC-1001", 2**63 - 1, None, 11100000)
    ]
    store.close()


def test_an_adjustment_posts_lines_that_add_up_to_zero(finance: Finance) -> None:
    partition, store = Partition(), finance.opened()
    partition.adjust("CE-1", CREDIT, glCode="4000-ROAM")

    store.keep(batch_of(*partition.records))

    lines = "SELECT line, gl_account, amount, currency, requested_at, billing_treatment, reason"
    noted = ("EUR", "2026-11-05T09:30:00.123Z", "SAME_PERIOD", "INCORRECT_METERING")
    assert finance.rows(f"{lines} FROM journal_entry ORDER BY line") == [
        (1, "1200", -1000000, *noted),
        (2, "4000-ROAM", 826446, *noted),
        (3, "2221", 173554, *noted),
    ]
    store.close()


def test_without_a_gl_code_the_reason_says_the_account_and_no_line_is_of_nothing(
    finance: Finance,
) -> None:
    partition, store = Partition(), finance.opened()
    tax = {"code": "OTHER", "rate": 500}
    partition.adjust("CE-1", (0, -5, -5), 1, glCode=None, tax=tax)
    partition.adjust("CE-1", (-7, 0, -7), 2, glCode=None, tax=tax, reason="GOODWILL")

    store.keep(batch_of(*partition.records))

    found = finance.rows("SELECT line, gl_account, amount FROM journal_entry ORDER BY amount, line")
    assert found == [
        (1, "1200", -7),
        (1, "1200", -5),
        (3, "2200", 5),
        (2, REASONS["GOODWILL"].gl_code, 7),
    ]
    store.close()


def test_the_event_as_it_was_at_the_adjustment_says_the_account(finance: Finance) -> None:
    partition, store = Partition(), finance.opened()
    partition.adjust("CE-1", CREDIT, 1, glCode="4001")
    partition.publish("chargeable-event", refId="CE-1", glCode="4002")

    store.keep(batch_of(*partition.records[:1]))  # a batch may end between the two
    store.keep(batch_of(*partition.records[1:]))

    revenue = "SELECT gl_account FROM journal_entry WHERE line = 2"
    assert finance.rows(revenue) == [("4001",)]
    assert finance.rows("SELECT gl_code FROM chargeable_event") == [("4002",)]
    store.close()


def test_daily_totals_are_the_journal_by_day_currency_reason_and_account(finance: Finance) -> None:
    partition, store = Partition(), finance.opened()
    for number in range(1, 5):
        day = f"2026-11-0{1 + number % 2}T23:59:59.999Z"
        partition.adjust("CE-1", CREDIT, number, requestedAt=day, glCode="4000")

    for pair in range(4):
        store.keep(batch_of(*partition.records[2 * pair : 2 * pair + 2]))

    grouped = (
        "SELECT substr(requested_at, 1, 10), currency, reason, gl_account, sum(amount), count(*) "
        "FROM journal_entry GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    kept = (
        "SELECT day, currency, reason, gl_account, amount, lines FROM daily_total ORDER BY 1,2,3,4"
    )
    assert finance.rows(kept) == [
        (*named, int(amount), lines) for *named, amount, lines in finance.rows(grouped)
    ]
    assert len(finance.rows(kept)) == 6
    store.close()


def test_what_cannot_be_read_is_kept_aside_as_it_was_found(finance: Finance) -> None:
    partition, store = Partition(), finance.opened()
    partition.append(record(b"\xff\0", (MESSAGE_CODE, b"account"), (SEQ, b"1")))
    partition.append(record(None, (MESSAGE_CODE, b"invoice\xff"), (SEQ, b"2")))
    partition.publish("account")

    store.keep(batch_of(*partition.records))

    aside = "SELECT topic_partition, topic_offset, code, value FROM set_aside ORDER BY 2"
    found = [(*named, value and bytes(value)) for *named, value in finance.rows(aside)]
    assert found == [(0, 0, "account", b"\xff\0"), (0, 2, "invoice\N{REPLACEMENT CHARACTER}", None)]
    assert len(finance.rows("SELECT 1 FROM account")) == 1
    assert finance.rows("SELECT next, seq FROM topic_offset") == [(4, 3)]
    store.close()


def test_a_text_that_the_database_cannot_hold_is_kept_as_near_as_it_can(finance: Finance) -> None:
    partition, store = Partition(), finance.opened()
    partition.adjust("CE-1", CREDIT, comment="a\0b", user="\N{OLD ITALIC LETTER A}")
    store.keep(batch_of(*partition.records))
    ((comment, user),) = finance.rows('SELECT comment, "user" FROM adjustment')
    assert comment in {"a\0b", "a\N{REPLACEMENT CHARACTER}b"}
    assert user == "\N{OLD ITALIC LETTER A}"
    store.close()


def test_reading_goes_on_where_the_last_commit_was(finance: Finance) -> None:
    partition, store = Partition(number=5), finance.opened()
    partition.publish("account")
    store.keep(batch_of(*partition.records))
    store.close()

    again = finance.store()
    assert again.open() == {5: Progress(1, 1, digest_of(partition.records[0]))}
    again.close()


def test_rows_and_position_are_kept_together_or_not_at_all(finance: Finance) -> None:
    partition, store = Partition(), finance.opened()
    partition.publish("account")
    partition.adjust("CE-1", CREDIT)
    finance.execute("DROP TABLE daily_total")  # is written after images and journal

    with pytest.raises(StoreError, match="Finance's database cannot be used"):
        store.keep(batch_of(*partition.records))

    kept = (
        "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM adjustment)"
        " + (SELECT count(*) FROM journal_entry) + (SELECT count(*) FROM topic_offset)"
    )
    assert finance.rows(kept) == [(0,)]
    store.close()


def test_an_adjustment_that_is_published_twice_is_posted_once_and_stops_nothing(
    finance: Finance,
) -> None:
    partition, store = Partition(), finance.opened()
    for event in ("CE-1", "CE-2", "CE-3"):
        partition.adjust(event, CREDIT, number=1)
    partition.publish("account")

    store.keep(batch_of(*partition.records[:4]))
    store.keep(batch_of(*partition.records[4:]))

    assert finance.rows("SELECT count(*) FROM journal_entry") == [(3,)]
    assert finance.rows("SELECT count(*) FROM account") == [(1,)]
    assert (
        finance.rows("SELECT fault FROM set_aside")
        == [("This adjustment was published before.",)] * 2
    )
    store.close()


def test_a_total_beyond_64_bits_is_refused_and_never_rounded(finance: Finance) -> None:
    partition, store = Partition(), finance.opened()
    partition.adjust("CE-1", CREDIT, 1)
    store.keep(batch_of(*partition.records))
    finance.execute("UPDATE daily_total SET amount = -9223372036854775000 WHERE amount < 0")
    partition.adjust("CE-1", CREDIT, 2)

    with pytest.raises(StoreError):
        store.keep(batch_of(*partition.records[2:]))

    lowest = "SELECT amount FROM daily_total ORDER BY amount LIMIT 1"
    assert finance.rows(lowest) == [(-9223372036854775000,)]
    store.close()


def test_a_second_instance_waits_and_begins_when_the_first_has_stopped(finance: Finance) -> None:
    first, second = finance.opened(), finance.store()
    with pytest.raises(HeldError, match="another instance is at work"):
        second.open()
    first.close()
    second.open()
    second.close()


def test_an_instance_that_was_taken_for_dead_is_fenced_by_its_first_commit(
    finance: Finance,
) -> None:
    zombie, partition = finance.opened(), Partition()
    partition.publish("account")
    heir = finance.store(lease_s=0.0)
    heir.open()

    with pytest.raises(FencedError):
        zombie.keep(batch_of(*partition.records))
    zombie.close()

    heir.keep(batch_of(*partition.records))
    assert finance.rows("SELECT count(*) FROM account") == [(1,)]
    heir.close()


def test_an_instance_that_reads_nothing_still_shows_that_it_lives(finance: Finance) -> None:
    store = FinanceStore(finance.url, ACCOUNTS, lease_s=0.0)
    store.open()
    before = finance.rows("SELECT beat FROM holder")
    store.keep(Batch())
    assert finance.rows("SELECT beat FROM holder") != before
    store.close()

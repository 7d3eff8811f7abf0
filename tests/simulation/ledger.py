"""What the simulated workers deliver: a ledger of accounts, small enough to be decided twice.

A request is `id:amount`, its key the account. A balance never goes below zero.
"""

from collections.abc import Callable
from typing import Any

from streams.delivery.plan import Plan, Table
from streams.delivery.work import Work

APP_ID = "ledger"
RESULTS, BUSINESS, DEAD = "results", "business", "dead"
BALANCES, ANSWERS = "balances", "answers"
PROGRESS_CHANGELOG = "progress-changelog"
INPUTS = ("requests", "orders")

Handler = Callable[[Any, Any], None]


def plan(partitions: int, inputs: int, handler: Handler) -> Plan:
    """The topics of a ledger."""
    names = INPUTS[:inputs]
    return Plan(
        app_id=APP_ID,
        partitions=partitions,
        inputs=dict.fromkeys(names, handler),
        outputs=(RESULTS, BUSINESS),
        dead_letters=dict.fromkeys(names, DEAD),
        tables={
            BALANCES: Table(
                BALANCES, f"{BALANCES}-changelog", _encode_balance, _decode_balance, is_kept=True
            ),
            ANSWERS: Table(ANSWERS, f"{ANSWERS}-changelog", bytes, bytes),
        },
        progress_changelog=PROGRESS_CHANGELOG,
    )


def handle(work: Work, record: Any) -> None:
    """Answer a request; time is the record's."""
    handle_at(work, record, record.timestamp)


def handle_at(work: Work, record: Any, timestamp: int) -> None:
    """Answer a request as of this time."""
    asked = read(work, record)
    if asked is None:
        return
    name, amount = asked
    answer = work.get(ANSWERS, record.key + b"/" + name)
    if answer is None:
        answer = answer_anew(work, record, name, amount, timestamp)
    publish(work, record, answer)


def read(work: Work, record: Any) -> tuple[bytes, int] | None:
    """What is asked here; None if it is asked elsewhere, or cannot be read."""
    partition = work.partition_of(record.key)
    if partition != record.partition:
        work.send_on(record, partition)
        return None
    name, colon, amount = record.value.partition(b":")
    if not colon:
        work.dead_letter(record, "unreadable", "no colon")
        return None
    return name, int(amount)


def answer_anew(work: Work, record: Any, name: bytes, amount: int, timestamp: int) -> bytes:
    """Decide, and remember it."""
    before = work.get(BALANCES, record.key)
    value, balance = decide(name, before[0] if before else 0, amount, timestamp)
    work.put(ANSWERS, record.key + b"/" + name, value)
    if balance is not None:
        work.put(BALANCES, record.key, (balance,))
        work.emit(BUSINESS, record.key, b"%d" % balance, _source(record), timestamp)
    return value


def decide(name: bytes, before: int, amount: int, timestamp: int) -> tuple[bytes, int | None]:
    """The result, and the new balance if it is applied."""
    balance = before + amount
    if balance < 0:
        return b"%b refused at %d" % (name, timestamp), None
    return b"%b applied: %d at %d" % (name, balance, timestamp), balance


def publish(work: Work, record: Any, answer: bytes) -> None:
    """Each request has its result, the repeated ones too."""
    work.emit(RESULTS, record.key, answer, _source(record), record.timestamp)


def _source(record: Any) -> list[tuple[str, bytes]]:
    return [("source", record.source.encode())]


def _encode_balance(row: tuple[int]) -> bytes:
    return b"%d" % row[0]


def _decode_balance(row: bytes) -> tuple[int]:
    return (int(row),)

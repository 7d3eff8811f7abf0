"""Fills an empty Kafka with an operator's accounts and chargeable events, the same each time.

Events go first and accounts last: a Kafka that holds accounts has all of it.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from schemas.connection import KafkaConnection
from schemas.headers import MESSAGE_CODE, REQUEST_ID

SEED = 4
ACCOUNTS, EVENTS = 40, 1000
FIRST_ACCOUNT, FIRST_EVENT = 1001, 500001
MICRO, BASIS_POINTS = 1_000_000, 10_000
PUBLISHED_MAX_S = 120.0
TRANSACTIONS = "business-transactions"

FIRST_DAY = datetime(2026, 10, 1, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 11, 1, tzinfo=UTC)
LAST_DAY = datetime(2026, 12, 1, tzinfo=UTC)
SECONDS_WITH_EVENTS = 54 * 24 * 60 * 60

STATES = {1007: "SUSPENDED", 1019: "SUSPENDED", 1031: "SUSPENDED", 1013: "DEACTIVATED",
          1037: "DEACTIVATED", 1022: "INACTIVE"}  # fmt: skip
BILLING_IN_PROGRESS, TAX_EXEMPT = {1016, 1028}, {1010, 1034}
CURRENCIES = {1005: "USD", 1025: "USD", 1015: "CZK", 1035: "CZK"}

Content = dict[str, Any]


class Message(NamedTuple):
    """What is sent to a topic about an account."""

    topic: str
    account: str
    content: Content


class Product(NamedTuple):
    """Something that an operator charges for; one quantity makes one event."""

    usage_type: str
    kind: str
    unit: str | None
    quantity_max: int
    price_micro: int  # of the largest quantity, or of the fee, without tax
    tax: tuple[str, int]
    gl_code: str
    share: int


FULL, REDUCED, NONE = ("VAT21", 2100), ("VAT10", 1000), ("VAT0", 0)
PRODUCTS = (
    Product("DATA", "USAGE", "BYTE", 5_000_000_000, 9 * MICRO, FULL, "4000-DATA", 30),
    Product("DATA_ROAMING", "USAGE", "BYTE", 800_000_000, 24 * MICRO, FULL, "4000-ROAM", 12),
    Product("VOICE", "USAGE", "SECOND", 3600, 6 * MICRO, FULL, "4000-VOICE", 20),
    Product("VOICE_INTERNATIONAL", "USAGE", "SECOND", 1800, 27 * MICRO, NONE, "4000-INTL", 8),
    Product("SMS", "USAGE", "MESSAGE", 20, 2 * MICRO, FULL, "4000-SMS", 12),
    Product("EBOOK", "ONE_TIME_FEE", "PIECE", 3, 30 * MICRO, REDUCED, "4100-CONTENT", 5),
    Product("MONTHLY_PLAN", "RECURRING_FEE", None, 0, 20 * MICRO, FULL, "4200-PLAN", 8),
    Product("DEVICE_INSURANCE", "RECURRING_FEE", None, 0, 5 * MICRO, NONE, "4300-INSURANCE", 3),
    Product("SIM_REPLACEMENT", "ONE_TIME_FEE", None, 0, 10 * MICRO, FULL, "4400-SERVICE", 2),
)


def demo_messages() -> Iterator[Message]:
    """Give all that is published, in its order."""
    draw = random.Random(SEED)  # noqa: S311 - a demonstration, not a secret
    yield from (_first_event(), _second_event())
    for number in range(FIRST_EVENT + 2, FIRST_EVENT + EVENTS):
        yield _event(draw, number)
    for number in range(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS):
        yield _account(number)


async def publish_demo(connection: KafkaConnection) -> int:
    """Send everything and wait until the engine has published it; give the number of entities."""
    messages = list(demo_messages())
    awaited = {message.content["refId"] for message in messages}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("demo data", total=len(awaited))
        await _send(connection, messages)
        async with asyncio.timeout(PUBLISHED_MAX_S), _reader(connection, TRANSACTIONS) as records:
            async for record in records:
                awaited.discard(json.loads(record.value).get("refId"))
                bar.update(task, completed=len(messages) - len(awaited))
                if not awaited:
                    break
    return len(messages)


async def is_empty(connection: KafkaConnection) -> bool:
    """Whether no account was ever sent."""
    async with _reader(connection, "accounts") as consumer:
        numbers = consumer.partitions_for_topic("accounts") or set()
        ends = await consumer.end_offsets([TopicPartition("accounts", n) for n in numbers])
        return not any(ends.values())


async def transactions_of(
    connection: KafkaConnection, request_id: str, count: int
) -> list[Content]:
    """Give what Finance reads of one request, once that many entities are there."""
    found: list[Content] = []
    async with asyncio.timeout(PUBLISHED_MAX_S), _reader(connection, TRANSACTIONS) as records:
        async for record in records:
            headers = dict(record.headers)
            if headers.get(REQUEST_ID) == request_id.encode():
                entity = headers[MESSAGE_CODE].decode()
                found.append({"entity": entity, **json.loads(record.value)})
            if len(found) == count:
                break
    return found


@asynccontextmanager
async def _reader(connection: KafkaConnection, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Read a topic from its first record and without end, as Finance does."""
    consumer = AIOKafkaConsumer(
        topic,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        **connection.client_options(),
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _send(connection: KafkaConnection, messages: list[Message]) -> None:
    producer = AIOKafkaProducer(enable_idempotence=True, **connection.client_options())
    try:
        await producer.start()
        for topic in ("chargeable-events", "accounts"):
            for message in messages:
                if message.topic == topic:
                    value, key = json.dumps(message.content).encode(), message.account.encode()
                    await producer.send(topic, value, key)
            await producer.flush()
    finally:
        await producer.stop()


def _account(number: int) -> Message:
    ref_id = f"ACC-{number}"
    content = {
        "refId": ref_id,
        "externalId": f"CRM-{number * 37 % 90_000}",
        "currency": CURRENCIES.get(number, "EUR"),
        "state": STATES.get(number, "ACTIVE"),
        "taxExempt": number in TAX_EXEMPT,
        "billingInProgress": number in BILLING_IN_PROGRESS,
    }
    return Message("accounts", ref_id, content)


def _event(draw: random.Random, number: int) -> Message:
    account = FIRST_ACCOUNT + draw.randrange(ACCOUNTS)
    (product,) = draw.choices(PRODUCTS, [product.share for product in PRODUCTS])
    when = FIRST_DAY + timedelta(seconds=draw.randrange(SECONDS_WITH_EVENTS))
    quantity = draw.randint(1, product.quantity_max) if product.unit else None
    share = quantity / product.quantity_max if quantity else 1
    excluded = max(1, round(product.price_micro * share))
    return _rated(number, account, product, (when, quantity, excluded))


def _first_event() -> Message:
    """12.10 EUR of roaming, not yet billed."""
    when = datetime(2026, 11, 3, 13, 21, 9, tzinfo=UTC)
    return _rated(FIRST_EVENT, FIRST_ACCOUNT, PRODUCTS[1], (when, 734_003_200, 10 * MICRO))


def _second_event() -> Message:
    """24.20 EUR for October's plan, on an invoice."""
    return _rated(FIRST_EVENT + 1, FIRST_ACCOUNT, PRODUCTS[6], (FIRST_DAY, None, 20 * MICRO))


def _rated(
    number: int, account: int, product: Product, used: tuple[datetime, int | None, int]
) -> Message:
    when, quantity, excluded = used
    code, rate = product.tax
    tax = (excluded * rate + BASIS_POINTS // 2) // BASIS_POINTS
    is_billed = when < NEXT_MONTH
    start, end = (FIRST_DAY, NEXT_MONTH) if is_billed else (NEXT_MONTH, LAST_DAY)
    content = {
        "refId": f"CE-{number}",
        "account": {"refId": f"ACC-{account}"},
        "usageType": product.usage_type,
        "kind": product.kind,
        "eventDate": when.isoformat(),
        "quantity": quantity,
        "unitOfMeasure": product.unit,
        "currency": CURRENCIES.get(account, "EUR"),
        "original": {
            "taxExcludedAmount": excluded,
            "taxAmount": tax,
            "taxIncludedAmount": excluded + tax,
        },
        "tax": {"code": code, "rate": rate},
        "glCode": product.gl_code,
        "status": "BILLED" if is_billed else "RATED",
        "billingPeriod": {"start": start.isoformat(), "end": end.isoformat()},
        "invoiceRefId": f"INV-{start:%Y-%m}-{account}" if is_billed else None,
    }
    return Message("chargeable-events", f"ACC-{account}", content)

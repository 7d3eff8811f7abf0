"""A short run of the engine's handlers without Kafka: every topic and store that it leaves."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec

from streams.app import build_plan
from streams.delivery.protocol import Progress, advanced
from streams.delivery.work import Work, partition_of
from tests.builders import REQUEST_ID, REVERSAL_ID, account_body, event_body, request_body
from tools.verify.log import Bounds, Record
from tools.verify.standing import Looked

PARTITIONS = 2
ACCOUNT, EVENT, OTHER_EVENT = "ACC-1001", "CE-500001", "CE-500002"
HOME = partition_of(ACCOUNT.encode(), PARTITIONS)
ASTRAY = 1 - HOME
AT_MS = 1_793_870_000_123
TOO_MUCH, MALFORMED, STRAY, DEBIT = (f"{n}0000000-0000-4000-8000-000000000000" for n in "1234")
ACKNOWLEDGED = [(ACCOUNT, each) for each in (REQUEST_ID, REVERSAL_ID, TOO_MUCH, STRAY, DEBIT)]
CLUSTER = "cluster-1"

Place = tuple[str, int]
Asked = dict[str, Any]
NOTHING_SAID = dict.fromkeys(("chargeType", "chargeAdjustment", "taxIncluded"), None)

INPUTS: list[tuple[str, Asked | bytes]] = [
    ("accounts", account_body()),
    ("chargeable-events", event_body()),
    ("chargeable-events", event_body()),
    ("adjustment-requests", request_body()),
    ("accounts", b"{"),
    ("adjustment-requests", request_body()),
    (
        "adjustment-requests",
        request_body(requestId=TOO_MUCH, chargeAdjustment=12_100_001, comment="too much"),
    ),
    ("adjustment-requests", request_body(comment="other content")),
    ("adjustment-requests", request_body(requestId=MALFORMED, user=7)),
    ("adjustment-requests", b"no request"),
    (
        "adjustment-requests",
        request_body(
            requestId=REVERSAL_ID, reversalOf=f"ADJ-{ACCOUNT}-{REQUEST_ID}", **NOTHING_SAID
        ),
    ),
    ("accounts", account_body(state="SUSPENDED")),
    ("chargeable-events", b"[]"),
    ("chargeable-events", event_body(status="BILLED", invoiceRefId="INV-1")),
    ("chargeable-events", event_body(refId=OTHER_EVENT)),
    (
        "adjustment-requests",
        request_body(requestId=DEBIT, chargeableEventRefId=OTHER_EVENT, chargeType="DEBIT"),
    ),
]


class Written:
    """The topics of a run, as the checks read them; tests change them."""

    def __init__(self) -> None:
        self.places: defaultdict[Place, list[Record]] = defaultdict(list)
        self.begins: dict[Place, int] = {}

    def part(self, topic: str, number: int) -> Iterator[Record]:
        yield from self.places[topic, number]

    def bounds(self, topic: str) -> Bounds:
        begins = {p: self.begins.get((topic, p), 0) for p in range(PARTITIONS)}
        ends = {p: self.end(topic, p) for p in range(PARTITIONS)}
        return Bounds(begins, ends)

    def end(self, topic: str, number: int) -> int:
        records = self.places[topic, number]
        return records[-1].offset + 1 if records else 0

    def write(self, place: Place, key: bytes | None, value: bytes | None, *headers: Any) -> Record:
        """Add a record, as an outsider reads it."""
        texts = {name: content.decode() for name, content in headers}
        record = Record(*place, self.end(*place), key, value, texts, AT_MS)
        self.places[place].append(record)
        return record


class _Unit:
    """One partition number: handles inputs one by one, each in a transaction of its own."""

    def __init__(self, written: Written, number: int) -> None:
        self.written, self.number, self.plan = written, number, build_plan(PARTITIONS)
        self.rows: dict[tuple[bytes, bytes], bytes] = {}
        self.progress = Progress(cluster=CLUSTER, topics={}, line=(("first", 1),))

    def get(self, table: bytes, key: bytes) -> bytes | None:
        return self.rows.get((table, key))

    def decide(self, record: Record) -> None:
        store: Any = self
        work = Work(self.plan, store, self.number, self.progress.seq)
        headers = [(name, content.encode()) for name, content in record.headers.items()]
        given = SimpleNamespace(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=record.key,
            value=record.value,
            headers=headers,
            timestamp=record.timestamp_ms,
        )
        self.plan.inputs[record.topic](work, given)
        following = self.progress.next | {record.topic: record.offset + 1}
        self.progress = advanced(self.progress, following, work.seq)
        self._commit(work)

    def _commit(self, work: Work) -> None:
        for place, outs in work.out.items():
            for out in outs:
                self.written.write(place, out.key, out.value, *(out.headers or ()))
        for table, rows in work.changed_rows().items():
            for key, row in rows:
                assert row is not None
                self.rows[table.encode(), key] = row
                self.written.write((self.plan.tables[table].changelog, self.number), key, row)
        row = msgspec.json.encode(self.progress)
        self.rows[b"progress", b"progress"] = row
        self.written.write((self.plan.progress_changelog, self.number), b"progress", row)


class Stored:
    """A worker's store of one unit, as the checks see it."""

    def __init__(self, unit: _Unit) -> None:
        self.name = f"worker-0/unit-{unit.number}.db"
        self.content = dict(unit.rows)
        self.following = {
            topic: unit.written.end(topic, unit.number) for topic in unit.plan.changelogs
        }

    def rows(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        wanted = table.encode()
        yield from ((key, row) for (name, key), row in self.content.items() if name == wanted)


class Stores:
    """The stores of one worker."""

    def __init__(self, units: Iterable[_Unit]) -> None:
        self.others: list[Looked] = []
        self.of = {unit.number: Stored(unit) for unit in units}

    def open(self, number: int) -> list[Stored]:
        return [self.of[number]]


def good_run(inputs: Iterable[tuple[str, Asked | bytes | None]] = INPUTS) -> tuple[Written, Stores]:
    """Some of everything that can happen, decided by the engine's own handlers."""
    written = Written()
    units = [_Unit(written, number) for number in range(PARTITIONS)]
    stray = json.dumps(request_body(requestId=STRAY, currency="USD")).encode()
    key = ACCOUNT.encode()
    for topic, asked in inputs:
        value = json.dumps(asked).encode() if isinstance(asked, dict) else asked
        units[HOME].decide(written.write((topic, HOME), key, value))
    units[ASTRAY].decide(written.write(("adjustment-requests", ASTRAY), key, stray))
    units[HOME].decide(written.places["adjustment-requests", HOME][-1])
    return written, Stores(units)

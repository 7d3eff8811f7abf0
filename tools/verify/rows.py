"""Business transactions as the rows that a store must hold, worked out from what was published."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent
from tools.verify.charges import decimal
from tools.verify.log import Record

ACCOUNT, EVENT, ADJUSTMENT = "account", "chargeable_event", "adjustment"
SET_ASIDE = "set_aside"
TABLES = (ACCOUNT, EVENT, ADJUSTMENT, SET_ASIDE)
ADDRESS = ("topic_partition", "topic_offset")

_ASIDE = ("timestamp_ms", "code", "key", "value")
_FORMS = {
    "account": (ACCOUNT, msgspec.json.Decoder(Account)),
    "chargeableEvent": (EVENT, msgspec.json.Decoder(ChargeableEvent)),
    "adjustment": (ADJUSTMENT, msgspec.json.Decoder(Adjustment)),
}
_LARGEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEQ = re.compile("[0-9]{1,18}")
_UTC = re.compile("[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}([.][0-9]{1,6})?Z")
_CAPITAL = re.compile("(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Row:
    """What a record says, in the columns of its table; the UTC date is that of its folder."""

    table: str
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """Name it as a reader of the report would look for it."""
        return name_of(self.table, self.values)

    @property
    def partition(self) -> int:
        """The partition of the record."""
        return int(self.values["topic_partition"])

    @property
    def offset(self) -> int:
        """The offset of the record."""
        return int(self.values["topic_offset"])

    @property
    def address(self) -> str:
        """Where the record stands."""
        return address_of(self.partition, self.offset)


def row_of(record: Record) -> Row:
    """Give the row of a record; one that nobody can read belongs to those set aside."""
    values: dict[str, Any] = {
        "topic_partition": record.partition,
        "topic_offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "date": _date(record.timestamp_ms),
    }
    code = record.headers.get("X-Ocs-Io-message-code")
    table, form = _FORMS.get(code or "", (SET_ASIDE, None))
    is_of_engine = seq_of(record) is not None
    image = _image(table, form, record.value or b"") if form and is_of_engine else None
    if image is None:
        values |= {"code": code, "key": record.key, "value": record.value}
        return Row(SET_ASIDE, values)
    return Row(table, values | image)


def seq_of(record: Record) -> int | None:
    """Give the number of a record; whatever has none is not the engine's, and nobody's image."""
    found = _SEQ.fullmatch(record.headers.get("seq", ""))
    return int(found[0]) if found else None


@cache
def columns_of(table: str) -> tuple[str, ...]:
    """Name the columns whose content the topic tells."""
    return (*(_ASIDE if table == SET_ASIDE else _paths(table)), *ADDRESS)


def digest(values: Iterable[Any]) -> bytes:
    """Tell rows apart without keeping them."""
    packed = msgspec.msgpack.encode([plain(value) for value in values])
    return hashlib.blake2b(packed, digest_size=16).digest()


def plain(value: Any) -> Any:
    """Give a value as every store can keep it: SQLite has no booleans, PostgreSQL no NUL."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in value else value
    if isinstance(value, bool):
        return int(value)
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def name_of(table: str, values: Mapping[str, Any]) -> str:
    """Name a row of a store."""
    if table == SET_ASIDE:
        return "the unreadable record"
    owner = f" of account {values.get('account_ref_id')}" if table == EVENT else ""
    return f"{table.replace('_', ' ')} {values.get('ref_id')}{owner}"


def address_of(partition: object, offset: object) -> str:
    """Write the address of a business transaction as the header `source` writes it."""
    return f"business-transactions-{partition}-{offset}"


def difference(column: str, found: Any, expected: Any) -> str:
    """Say what stands in a column and what must; amounts as on a bill."""
    is_money = column == "amount" or column.endswith("_amount")
    shown = [
        decimal(value) if is_money and isinstance(value, int) else repr(value)
        for value in (found, expected)
    ]
    return f"{column} is {shown[0]}, must be {shown[1]}"


def _image(table: str, form: Any, value: bytes) -> dict[str, Any] | None:
    """Flatten what was published; nothing if it has not the agreed form."""
    try:
        form.decode(value)
        image = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    flat = {column: _value(image, path) for column, path in _paths(table).items()}
    numbers = [each for each in flat.values() if isinstance(each, int | float)]
    if any(not -_LARGEST - 1 <= number <= _LARGEST for number in numbers):
        return None
    return flat if table != ADJUSTMENT or _is_postable(flat) else None


def _is_postable(adjustment: dict[str, Any]) -> bool:
    """Whether its lines would add up and have a day."""
    excluded, tax, included = (
        adjustment[f"effect_{name}_amount"] for name in ("tax_excluded", "tax", "tax_included")
    )
    return _UTC.fullmatch(adjustment["requested_at"] or "") is not None and (
        excluded + tax == included
    )


def _value(image: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        image = image[name]
    return image


@cache
def _paths(table: str) -> dict[str, tuple[str, ...]]:
    """Each column with the names on the wire that lead to it, from the published schema."""
    published = files("schemas") / "published" / f"{table.replace('_', '-')}.json"
    schema = json.loads(published.read_text(encoding="utf-8"))
    paths: dict[str, tuple[str, ...]] = {}

    def walk(node: dict[str, Any], path: tuple[str, ...]) -> None:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        if "properties" not in node:
            paths["_".join(_CAPITAL.sub("_", name).lower() for name in path)] = path
        for name, inner in node.get("properties", {}).items():
            walk(inner, (*path, name))

    walk(schema, ())
    return paths


def _date(timestamp_ms: int) -> str:
    """Give the UTC date, or the nearest that can be written."""
    try:
        return (_EPOCH + timedelta(milliseconds=max(timestamp_ms, 0))).date().isoformat()
    except OverflowError:
        return date.max.isoformat()

"""Business transactions as the rows that a store must hold, worked out from what was published."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
Tree = dict[str, "str | Tree"]
ADDRESS = ("topic_partition", "topic_offset")

_ASIDE = ("timestamp_ms", "code", "key", "value")
_FORMS = {
    "account": (ACCOUNT, msgspec.json.Decoder(Account)),
    "chargeableEvent": (EVENT, msgspec.json.Decoder(ChargeableEvent)),
    "adjustment": (ADJUSTMENT, msgspec.json.Decoder(Adjustment)),
}
_PLAIN = {int, bytes, type(None)}
_DAY_MS = 86_400_000
_SEQ = re.compile("[0-9]{1,18}")
_UTC = re.compile("[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}[.][0-9]{3}Z")
_LONG, _TEXT_MAX = 2_000, 256  # bytes of a value from which on characters of its texts are counted
_AMOUNT_MAX = 10**15
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
        "date": _date(record.timestamp_ms // _DAY_MS),
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
    return (*(_ASIDE if table == SET_ASIDE else _leaves(_tree(table))), *ADDRESS)


def digest(values: Iterable[Any]) -> bytes:
    """Tell rows apart without keeping them."""
    packed = msgspec.msgpack.encode(
        [value if value.__class__ in _PLAIN else plain(value) for value in values]
    )
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
    flat = _flatten(image, _tree(table))
    if len(value) > _LONG and _has_long_text(flat):
        return None
    return flat if table != ADJUSTMENT or _is_postable(flat) else None


def _has_long_text(flat: dict[str, Any]) -> bool:
    """Whether a text is longer than any that the engine lets through, comments apart."""
    texts = (text for name, text in flat.items() if name != "comment" and isinstance(text, str))
    return any(len(text) > _TEXT_MAX for text in texts)


def _is_postable(adjustment: dict[str, Any]) -> bool:
    """Whether its lines would add up and have a day."""
    excluded, tax, included = (
        adjustment[f"effect_{name}_amount"] for name in ("tax_excluded", "tax", "tax_included")
    )
    is_sum = excluded + tax == included and max(map(abs, (excluded, tax, included))) <= _AMOUNT_MAX
    return is_sum and _is_time(adjustment["requested_at"] or "")


def _is_time(text: str) -> bool:
    try:
        return _UTC.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _flatten(image: dict[str, Any], tree: Tree) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in tree.items():
        if isinstance(inner, str):
            flat[inner] = image[name]
        else:
            flat |= _flatten(image[name], inner)
    return flat


@cache
def _tree(table: str) -> Tree:
    """Give the names on the wire, nested as they are there, with the column of each value."""
    published = files("schemas") / "published" / f"{table.replace('_', '-')}.json"
    schema = json.loads(published.read_text(encoding="utf-8"))

    def grown(node: dict[str, Any], around: str) -> Tree:
        tree: Tree = {}
        for name, inner in node["properties"].items():
            column = around + _CAPITAL.sub("_", name).lower()
            meant = _meant(inner, schema)
            tree[name] = grown(meant, f"{column}_") if "properties" in meant else column
        return tree

    return grown(_meant(schema, schema), "")


def _meant(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (
        schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    )
    return found


def _leaves(tree: Tree) -> Iterator[str]:
    for inner in tree.values():
        yield from [inner] if isinstance(inner, str) else _leaves(inner)


@cache
def _date(day: int) -> str:
    """Give the UTC date of a day, counted from 1970, or the nearest that can be written."""
    try:
        return (date(1970, 1, 1) + timedelta(days=max(day, 0))).isoformat()
    except OverflowError:
        return date.max.isoformat()

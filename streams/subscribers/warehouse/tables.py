"""The tables of the warehouse: their columns, their rows as lines of JSON, and the SQL of both."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from streams.subscribers.columns import Kind, columns_of
from streams.subscribers.images import ENTITIES, Image, SetAside
from streams.subscribers.warehouse.layout import SET_ASIDE

_TYPES: dict[Kind, str] = {"integer": "BIGINT", "boolean": "BOOLEAN", "text": "VARCHAR"}
_PLACE = (("topic_partition", "INTEGER"), ("topic_offset", "BIGINT"))
_encode = msgspec.json.Encoder().encode


class _Value(NamedTuple):
    """One column, and where it stands in a line."""

    name: str
    sql_type: str
    expression: str


_ASIDE = (
    _Value("timestamp_ms", "BIGINT", "row.timestamp_ms"),
    _Value("code", "VARCHAR", "row.code"),
    _Value("key", "BLOB", "from_base64(row.key)"),
    _Value("value", "BLOB", "from_base64(row.value)"),
    _Value("fault", "VARCHAR", "row.fault"),
)
_ASIDE_LINE = {
    "timestamp_ms": "BIGINT",
    "code": "VARCHAR",
    "key": "VARCHAR",
    "value": "VARCHAR",
    "fault": "VARCHAR",
}


def line_of(row: Image | SetAside) -> bytes:
    """Write a row as a line.

    An image is written anew: with the attributes that are columns, each of them once.
    """
    content = row.content if isinstance(row, Image) else _content(row)
    return b'{"topic_partition":%d,"topic_offset":%d,"row":%b}\n' % (
        row.partition,
        row.offset,
        _encode(content),
    )


@lru_cache
def columns_in(table: str) -> tuple[tuple[str, str], ...]:
    """Give names and SQL types of the columns, in their order."""
    values = tuple((value.name, value.sql_type) for value in _values(table))
    return (*_PLACE, *values) if table == SET_ASIDE else (*values, *_PLACE)


def rows_of_lines(table: str, lines: Path) -> str:
    """Write the query that reads lines, in the order they have."""
    expressions = {value.name: value.expression for value in _values(table)}
    selected = ", ".join(
        f"{expressions.get(name, name)} AS {name}" for name, _ in columns_in(table)
    )
    form = ", ".join(f"{name}: '{sql_type}'" for name, sql_type in _PLACE)
    return (
        f"SELECT {selected} FROM read_json({_read(lines)}, format = 'newline_delimited', "  # noqa: S608
        f"columns = {{{form}, row: '{_struct(_line_of(table))}'}}, "
        "compression = 'none', hive_partitioning = false)"
    )


def rows_of_files(table: str, files: Iterable[Path]) -> str:
    """Write the query that reads files, in their order; a column that older ones lack is null."""
    typed = ", ".join(f"NULL::{sql_type} AS {name}" for name, sql_type in columns_in(table))
    none = f"SELECT {typed} WHERE false"
    named = ", ".join(map(_read, files))
    if not named:
        return none
    read = f"read_parquet([{named}], union_by_name = true, hive_partitioning = false)"
    return f"{none} UNION ALL BY NAME SELECT * FROM {read}"  # noqa: S608 - names of ours


def quoted(text: str) -> str:
    """Write a text as SQL does."""
    return "'" + text.replace("'", "''") + "'"


def _read(file: Path) -> str:
    """Name a file to be read: letters that stand for others are taken as they are."""
    return quoted("".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(file)))


def _content(row: SetAside) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _ASIDE_LINE}


@lru_cache
def _values(table: str) -> tuple[_Value, ...]:
    if table == SET_ASIDE:
        return _ASIDE
    return tuple(
        _Value(column.name, _TYPES[column.kind], ".".join(("row", *map(_named, column.path))))
        for column in columns_of(ENTITIES[table])
    )


def _line_of(table: str) -> dict[str, Any]:
    """Give the form of a row in a line: names and types, nested as they are there."""
    if table == SET_ASIDE:
        return _ASIDE_LINE
    form: dict[str, Any] = {}
    for column in columns_of(ENTITIES[table]):
        *around, name = column.path
        within = form
        for outer in around:
            within = within.setdefault(outer, {})
        within[name] = _TYPES[column.kind]
    return form


def _struct(form: dict[str, Any]) -> str:
    parts = (
        f"{_named(name)} {kind if isinstance(kind, str) else _struct(kind)}"
        for name, kind in form.items()
    )
    return f"STRUCT({', '.join(parts)})"


def _named(name: str) -> str:
    return f'"{name}"'

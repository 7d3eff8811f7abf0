"""The columns in which an entity is kept: its wire names in snake_case, nested ones joined by `_`.

Money is whole micro-units, as it was published.
"""

from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import inspect

Kind = Literal["integer", "boolean", "text"]


class Column(NamedTuple):
    """One value of an entity."""

    name: str
    path: tuple[str, ...]  # the names on the wire
    attribute: str  # of the entity in Python, dotted where nested
    kind: Kind
    is_nullable: bool


@lru_cache
def columns_of(entity: type[msgspec.Struct]) -> tuple[Column, ...]:
    """Give the columns in the order of the schema."""
    described = inspect.type_info(entity)
    assert isinstance(described, inspect.StructType)
    return tuple(_columns(described, (), ""))


@lru_cache
def row_of(entity: type[msgspec.Struct]) -> "attrgetter[tuple[Any, ...]]":
    """Give what takes the values of all columns from an entity, in their order."""
    return attrgetter(*(column.attribute for column in columns_of(entity)))


def _columns(struct: inspect.StructType, path: tuple[str, ...], within: str) -> Iterator[Column]:
    for field in struct.fields:
        kind, is_nullable = _plain(field.type)
        here, attribute = (*path, field.encode_name), f"{within}{field.name}"
        if isinstance(kind, inspect.StructType):
            yield from _columns(kind, here, f"{attribute}.")
        else:
            name = attribute.replace(".", "_")
            yield Column(name, here, attribute, _kind(kind), is_nullable)


def _plain(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    """Take off what only describes a type, and say whether it may be null."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if not isinstance(kind, inspect.UnionType):
        return kind, False
    (plain,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    return _plain(plain)[0], True


def _kind(kind: inspect.Type) -> Kind:
    if isinstance(kind, inspect.BoolType):
        return "boolean"
    return "integer" if isinstance(kind, inspect.IntType) else "text"

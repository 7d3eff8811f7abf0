"""Keeps JSON small: there may be millions of messages in the books."""

import hashlib
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode
SIZE = 16  # bytes of a digest

pack = msgspec.json.Encoder().encode
unpack = msgspec.json.Decoder().decode


def digest(content: Any) -> bytes:
    """Tell messages apart without keeping them; the order of their attributes is no matter."""
    return hashlib.blake2b(_encode(content), digest_size=SIZE).digest()


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; to Python 1 and true would be."""
    return one == other and _encode(one) == _encode(other)

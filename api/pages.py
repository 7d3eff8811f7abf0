"""Pages of a list: where the next one begins is a cursor, good for this one search only.

A cursor stands at an item, not at a number: what arrives meanwhile moves nothing.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.parameters import (
    MisfitError,
    Parameter,
    fault_of,
    given_in,
    integer,
    parameter_problem,
    read_parameters,
)
from api.searching import Page
from schemas.forms import INTEGER_MAX, INTEGER_MIN
from schemas.refusals import Refusal

LIMIT_MAX, LIMIT_DEFAULT = 200, 50
CURSOR_MAX = 4096

_UNREADABLE = (ValueError, msgspec.DecodeError, RecursionError)
_BASE64 = re.compile(f"[A-Za-z0-9_-]{{1,{CURSOR_MAX}}}")

Key = TypeVar("Key")
Int64 = Annotated[int, msgspec.Meta(ge=INTEGER_MIN, le=INTEGER_MAX)]


class Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Where a page ended, and the digest of that and of what was searched."""

    digest: str
    key: msgspec.Raw


@dataclass(frozen=True)
class Asked(Generic[Key]):
    """Which page of which search is asked for."""

    values: Mapping[str, Any]  # of the filters
    limit: int
    after: Key | None


def _cursor(text: str) -> Cursor:
    try:
        if _BASE64.fullmatch(text):
            return msgspec.json.decode(
                urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor
            )
    except _UNREADABLE:
        pass  # neither base64 nor JSON, or not of this form
    raise MisfitError(Refusal.INVALID_FORMAT)


PAGING = {
    "limit": integer(1, LIMIT_MAX),
    "cursor": Parameter(
        read=_cursor,
        expected="the `next` of a page of this search, with the same filters",
        schema={"type": "string", "pattern": f"^{_BASE64.pattern}$"},
    ),
}


def page_asked(
    request: Request, known: Mapping[str, Parameter], kind: type[Key]
) -> Asked[Key] | Response:
    """Read which page is asked for; its cursor holds a key of this kind."""
    values = read_parameters(request.scope["query_string"], {**known, **PAGING})
    if not isinstance(values, dict):
        return parameter_problem(values)
    limit, cursor = values.pop("limit", LIMIT_DEFAULT), values.pop("cursor", None)
    if cursor is None:
        return Asked(values, limit, None)
    try:
        after = msgspec.json.decode(cursor.key, type=kind)
    except _UNREADABLE:
        after = None
    if after is None or cursor.digest != _digest(request, values, bytes(cursor.key)):
        return parameter_problem((fault_of("cursor", PAGING),))
    return Asked(values, limit, after)


def page_answer(
    request: Request, asked: Asked[Key], page: Page[Key], headers: dict[str, str]
) -> Response:
    """Answer with a page, its items as they were published, and the address of the next one."""
    following = None
    if page.last is not None:
        following = _text_of(request, asked.values, msgspec.json.encode(page.last))
        kept = given_in(request.scope["query_string"])
        query = [(name, text) for name, text in kept if name != "cursor"]
        query.append(("cursor", following))
        headers["Link"] = f'<{quote(request.scope["path"])}?{urlencode(query)}>; rel="next"'
    items, last = b",".join(page.items), msgspec.json.encode(following)
    body = b'{"items":[%b],"next":%b}' % (items, last)
    return Response(body, 200, headers, "application/json")


def _text_of(request: Request, values: Mapping[str, Any], key: bytes) -> str:
    cursor = Cursor(_digest(request, values, key), msgspec.Raw(key))
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _digest(request: Request, values: Mapping[str, Any], key: bytes) -> str:
    searched = msgspec.json.encode([request.scope["path"], sorted(values.items())])
    return blake2b(searched + b"\n" + key, digest_size=9).hexdigest()

"""Versions of entities as HTTP has them: `ETag`, and what a caller has already (RFC 9110)."""

from starlette.requests import Request
from starlette.responses import Response


def versioned(request: Request, version: int, body: bytes, headers: dict[str, str]) -> Response:
    """Answer with an entity, or that the caller has this version already."""
    tag = f'"{version}"'
    headers["ETag"] = tag
    if _has(request, tag):
        return Response(None, 304, headers)
    return Response(body, 200, headers, "application/json")


def _has(request: Request, tag: str) -> bool:
    given = ",".join(request.headers.getlist("if-none-match")).split(",")
    return not {tag, "*"}.isdisjoint(each.strip().removeprefix("W/") for each in given)

"""A preview and the request after it, with nothing in between, come to the same."""

import json
from pathlib import Path

import msgspec
from hypothesis import given, settings

from api.lookups import Lookups
from api.preview import preview
from api.store import Store
from api.submission import Rejection, judge
from schemas.refusals import Refusal
from tests.api.builders import sqlite_url
from tests.api.in_memory import ACCOUNT, EngineInMemory
from tests.builders import as_bytes
from tests.streams.domain.strategies import Body, Step, histories


def test_a_preview_is_what_the_next_request_comes_to(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path))
    lookups = Lookups(store.engine)
    reached: set[str] = set()

    @settings(max_examples=100)
    @given(histories)
    def hold(history: list[Step]) -> None:
        store.start_anew("in memory")
        engine = EngineInMemory(store)
        for kind, body in history:
            foreseen = _foreseen(lookups, body) if kind == "request" else {}
            value = engine.take(kind, body)
            if value is not None:
                result = _without_time(value)
                assert result | foreseen == result
                reached.update(fault["code"] for fault in result["errors"])

    hold()
    store.close()
    assert len(reached) > len(Refusal) / 2, "what was drawn shows too little"


def _foreseen(lookups: Lookups, body: Body) -> Body:
    """Give the preview; of a malformed request its faults, which POST and preview tell alike."""
    judged = judge(as_bytes(body), None)
    if isinstance(judged, Rejection):
        return {"errors": msgspec.to_builtins(judged.faults)}
    seen = preview(lookups, ACCOUNT, judged.request)
    assert seen.value is not None
    return _without_time(seen.value)


def _without_time(value: bytes) -> Body:
    result: Body = json.loads(value)
    result["requestedAt"] = None
    if result["adjustment"] is not None:
        result["adjustment"]["requestedAt"] = None
    return result

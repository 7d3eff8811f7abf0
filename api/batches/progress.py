"""How far a batch is, as a stream of server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from api.batches.reports import Batch, Batches

LOOK_S, KEEP_ALIVE_S = 0.5, 15.0


async def progress_of(batches: Batches, batch: Batch) -> AsyncIterator[bytes]:
    """Tell of each change, `progress` or at last `finished`, with the seconds that may be left."""
    began, first, told_at = time.monotonic(), batch, time.monotonic()
    yield _event(batch, None)
    while batch.finished_at is None:
        await asyncio.sleep(LOOK_S)
        now = await asyncio.to_thread(batches.report, batch.batch_id)
        assert now, "it is never forgotten but with all else"
        if now != batch:
            decided = now.applied + now.refused - first.applied - first.refused
            per_item_s = (time.monotonic() - began) / decided if decided else None
            yield _event(now, per_item_s)
            told_at = time.monotonic()
        elif time.monotonic() - told_at > KEEP_ALIVE_S:
            yield b": nothing new\n\n"
            told_at = time.monotonic()
        batch = now


def _event(batch: Batch, per_item_s: float | None) -> bytes:
    name = b"progress" if batch.finished_at is None else b"finished"
    left_s = None if per_item_s is None else round(batch.pending * per_item_s, 1)
    document: dict[str, Any] = batch.document() | {"secondsLeft": left_s}
    return b"event: %b\ndata: %b\n\n" % (name, msgspec.json.encode(document))

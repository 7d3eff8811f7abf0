"""What a report of a batch is read from."""

import tracemalloc
import uuid

import httpx

from api.batches.entries import Definition, Logged, Selected
from api.batches.progress import progress_of
from api.batches.reports import Batches
from api.rows import Rows
from api.store import Store
from tests.postgres import on_both_databases

pytestmark = on_both_databases

PATH = "/v1/adjustment-batches"


async def test_a_report_is_given_without_reading_what_was_asked(
    client: httpx.AsyncClient, store: Store
) -> None:
    asked = Definition("fin:omar", {"account": "A"}, None, {"comment": "x" * 1_000_000})
    ids, at = [str(uuid.UUID(int=number)) for number in range(5)], "2026-11-05T10:00:00.000Z"
    store.keep(Rows(batches=[Logged(batch_id, 0, at, asked) for batch_id in ids]))
    batches = Batches(store.engine)
    batch = batches.report(ids[0])
    assert batch

    tracemalloc.start()
    answers = [await client.get(PATH + path) for path in ("", f"/{ids[0]}", f"/{ids[0]}/items")]
    progress = progress_of(batches, batch)
    await anext(progress)
    store.keep(Rows(batches=[Logged(ids[0], 0, at, Selected("s", 0))]))
    last = await anext(progress)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [answer.status_code for answer in answers] == [200] * 3
    assert last.startswith(b"event: finished")
    assert most_bytes < 1_000_000

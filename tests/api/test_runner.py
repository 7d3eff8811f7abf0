"""How batches are run: what is selected and sent, and what becomes of what fails."""

import asyncio
from itertools import groupby

from api.batches.entries import Part
from api.batches.log import PART_ITEMS
from api.store import Store
from tests.api.batches import BATCH_ID, Log, a_runner, keep_batch, rate

OTHER_ID = BATCH_ID[::-1]


async def test_one_batch_selects_at_a_time(store: Store) -> None:
    rate(store, 2 * PART_ITEMS + 1)
    runner, log = a_runner(store), Log()
    batches = [keep_batch(store, batch_id) for batch_id in (BATCH_ID, OTHER_ID)]

    await asyncio.gather(*(runner._select(batch, log) for batch in batches))

    parts = [batch_id for batch_id, entry in log.entries if isinstance(entry, Part)]
    assert [len([*of_one]) for _, of_one in groupby(parts)] == [3, 3]

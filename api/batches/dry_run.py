"""What a batch would come to now: the engine's own rules for each item; nothing is published."""

import json
from collections.abc import Generator, Sequence
from datetime import UTC, datetime

from api.batches.entries import Item, request_id_of
from api.batches.reports import Batch, Batches
from api.batches.submission import BatchSubmission, request_of
from api.batches.tally import Tally
from api.lookups import Lookups
from api.preview import preview_many
from api.records import utc_text
from api.threads import closed_in_thread, in_thread
from schemas.adjustment import AdjustmentRequest, RequestedAccount
from schemas.reading import read_request

SLICE = 500  # items for which a thread is kept busy
SHOWN_MAX = 100


async def dry_run(
    submission: BatchSubmission, batches: Batches, lookups: Lookups
) -> tuple[Batch, list[bytes]]:
    """Give the report, and the results of the first items. What is undecided yet is pending."""
    began, tally, shown, matched = _now(), Tally(), list[bytes](), 0
    slices = _slices(submission, batches)
    async with closed_in_thread(slices):
        while items := await in_thread(next, slices, None):
            matched += len(items)
            for value in await in_thread(_results, submission, lookups, items):
                tally.add(value)
                if len(shown) < SHOWN_MAX:
                    shown.append(value)
    report = Batch(
        batch_id=submission.batch_id,
        user=submission.user,
        is_dry_run=True,
        selection=None,
        matched=matched,
        applied=tally.applied,
        refused=tally.refusals.total(),
        effect=(tally.tax_excluded, tally.tax, tally.tax_included),
        refusals=tally.refusals,
        requested_at=began,
        finished_at=_now(),
    )
    return report, shown


def _slices(submission: BatchSubmission, batches: Batches) -> Generator[Sequence[Item], None, None]:
    items = submission.items
    if items is None:
        return batches.selecting(submission.event_filters, SLICE)
    return (items[at : at + SLICE] for at in range(0, len(items), SLICE))


def _results(submission: BatchSubmission, lookups: Lookups, items: Sequence[Item]) -> list[bytes]:
    """Decide some items. Blocks: use threads."""
    body = request_of(submission.adjustment, submission.batch_id, submission.user, items[0])
    first = read_request(json.dumps(body).encode())
    assert isinstance(first, AdjustmentRequest), "it was judged when it was posted"
    asked = [
        (
            item.account,
            first.model_copy(
                update={
                    "request_id": request_id_of(submission.batch_id, item),
                    "account": RequestedAccount.model_construct(ref_id=item.account),
                    "chargeable_event_ref_id": item.event,
                }
            ),
        )
        for item in items
    ]
    seen = preview_many(lookups, asked, submission.batch_id)
    return [each.value for each in seen if each.value is not None]


def _now() -> str:
    return utc_text(int(datetime.now(UTC).timestamp() * 1000))

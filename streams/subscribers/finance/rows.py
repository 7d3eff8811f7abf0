"""A batch of images as rows of Finance's tables."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from schemas.adjustment import Adjustment
from streams.subscribers.columns import row_of
from streams.subscribers.finance.gl_accounts import GlAccounts
from streams.subscribers.finance.journal import UNKNOWN, Line, Taxed, post, taxed
from streams.subscribers.images import ENTITIES, Batch, SetAside, aside

Row = tuple[Any, ...]
Place = tuple[str, str]
"""A chargeable event: its account's refId and its own."""
DAY = len("2026-11-05")


@dataclass
class Rows:
    """Rows in the order of their tables' columns; of each entity the last image only."""

    entities: dict[str, dict[Any, Row]] = field(
        default_factory=lambda: {entity: {} for entity in ENTITIES}
    )
    set_aside: list[SetAside] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    totals: dict[tuple[str, ...], list[int]] = field(default_factory=dict)


def rows_of(
    batch: Batch,
    accounts: GlAccounts,
    posted: AbstractSet[str],
    find: Callable[[Place], Taxed | None],
) -> Rows:
    """Give the rows; `find` looks for an event of which there is no image in the batch.

    An adjustment that was posted before is not posted again, whoever published it twice.
    """
    rows, events = Rows(set_aside=list(batch.set_aside)), dict[Place, Taxed]()
    values = {entity: row_of(kind) for entity, kind in ENTITIES.items()}
    for image in batch.images:
        content, kept = image.content, rows.entities[image.entity]
        row = (*values[image.entity](content), image.partition, image.offset)
        if image.entity == "account":
            kept[content.ref_id] = row
        elif image.entity == "chargeable_event":
            place = (content.account.ref_id, content.ref_id)
            kept[place], events[place] = row, taxed(content)
        elif content.ref_id in posted or content.ref_id in kept:
            rows.set_aside.append(aside(image, "This adjustment was published before."))
        else:
            place = (content.account.ref_id, content.chargeable_event_ref_id)
            kept[content.ref_id] = row
            event = events.get(place) or find(place) or UNKNOWN
            _enter(rows, content, post(content, event, accounts))
    return rows


def _enter(rows: Rows, adjustment: Adjustment, lines: list[Line]) -> None:
    """Enter the lines of an adjustment, and add them to their day's totals."""
    currency, reason = adjustment.currency, adjustment.reason
    at = adjustment.requested_at
    assert at is not None, "whoever reads images refuses an adjustment without it"
    for line in lines:
        rows.lines.append(
            (
                adjustment.ref_id,
                line.number,
                line.gl_account,
                line.amount,
                currency,
                at,
                adjustment.billing_treatment,
                reason,
            )
        )
        total = rows.totals.setdefault((at[:DAY], currency, reason, line.gl_account), [0, 0])
        total[0] += line.amount
        total[1] += 1

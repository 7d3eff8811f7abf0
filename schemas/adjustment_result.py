"""What a caller is told: every request gets exactly one result."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.account import AccountReference
from schemas.adjustment import Adjustment
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent
from schemas.forms import Explained
from schemas.refusals import Refusal


class ResultStatus(Explained):
    """The two ends of a request."""

    APPLIED = "APPLIED", "The charge was adjusted."
    REFUSED = "REFUSED", "A rule refused it; nothing changed."


class Fault(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """One thing that stands against a request."""

    code: Refusal
    field: Annotated[str, Meta(description="Wire name of the attribute, nested ones with dots.")]
    message: Annotated[str, Meta(description="The same in words, for people.")]


class AdjustmentResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What a request came to."""

    request_id: Annotated[str, Meta(description="The request that is answered.")]
    account: AccountReference
    chargeable_event_ref_id: Annotated[
        str | None, Meta(description="The event as the request named it; null if not by a text.")
    ]
    status: ResultStatus
    adjustment: Annotated[Adjustment | None, Meta(description="What was applied, if it was.")]
    chargeable_event: Annotated[
        ChargeableEvent | None,
        Meta(description="The event as it is now; null where none was found."),
    ]
    errors: Annotated[tuple[Fault, ...], Meta(description="Empty if the request was applied.")]
    remaining: Annotated[Amounts | None, Meta(description="What may still be credited.")]
    requested_at: Annotated[
        str | None, Meta(description="When the broker appended the request, UTC.")
    ]

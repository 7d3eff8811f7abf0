"""The reasons that a caller may give for an adjustment; changed by a deployment only."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from schemas.adjustment import ChargeType


class Reason(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Why a caller may want an adjustment."""

    code: Annotated[str, Meta(description="What a request says.")]
    name: Annotated[str, Meta(description="The reason for people.")]
    charge_types: Annotated[
        tuple[ChargeType, ...], Meta(description="What it may be given for. REASON_NOT_APPLICABLE.")
    ]
    gl_code: Annotated[str, Meta(description="General ledger account of such adjustments.")]
    comment_required: Annotated[
        bool, Meta(description="Whether a comment must explain it. COMMENT_REQUIRED.")
    ]
    is_default: Annotated[bool, Meta(description="Whether it is meant where none is given.")]


class ReasonList(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """All reasons; there is one page of them."""

    items: tuple[Reason, ...]
    next: Annotated[None, Meta(description="Cursor of the next page: there is none.")]


def _reason(code: str, name: str, gl_code: str, **exceptions: Any) -> Reason:
    plain = Reason(
        code=code,
        name=name,
        charge_types=tuple(ChargeType),
        gl_code=gl_code,
        comment_required=False,
        is_default=False,
    )
    return msgspec.structs.replace(plain, **exceptions)


REASONS = {
    reason.code: reason
    for reason in (
        _reason("BILLING_ERROR", "Error in billing", "4900-BILL", is_default=True),
        _reason("DUPLICATED_CHARGE", "Charged twice", "4901-DUPL"),
        _reason("INCORRECT_METERING", "Metered wrongly", "4902-METR"),
        _reason("SERVICE_UNAVAILABLE", "Service not available", "4903-SERV"),
        _reason("GOODWILL", "Goodwill", "4904-GOOD", charge_types=(ChargeType.CREDIT,)),
        _reason("DISPUTE", "Settled dispute", "4905-DISP"),
        _reason("RATE_CORRECTION", "Rated wrongly", "4906-RATE"),
        _reason("OTHER", "Other", "4909-OTHR", comment_required=True),
    )
}

DEFAULT_REASON = next(code for code, reason in REASONS.items() if reason.is_default)

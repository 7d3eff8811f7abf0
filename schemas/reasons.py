"""The reasons that a caller may give for an adjustment; changed by a deployment only."""

from typing import Annotated

import msgspec
from msgspec import Meta

from schemas.adjustment import ChargeType


class Reason(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Why a caller may want an adjustment."""

    code: Annotated[str, Meta(description="What a request says.")]
    name: Annotated[str, Meta(description="The reason for people.")]
    charge_types: tuple[ChargeType, ...] = (ChargeType.CREDIT, ChargeType.DEBIT)
    gl_code: Annotated[str, Meta(description="General ledger account of such adjustments.")]
    comment_required: Annotated[bool, Meta(description="Whether a comment must explain it.")] = (
        False
    )


DEFAULT_REASON = "BILLING_ERROR"

REASONS = {
    reason.code: reason
    for reason in (
        Reason(code="BILLING_ERROR", name="Error in billing", gl_code="4900-BILL"),
        Reason(code="DUPLICATED_CHARGE", name="Charged twice", gl_code="4901-DUPL"),
        Reason(code="INCORRECT_METERING", name="Metered wrongly", gl_code="4902-METR"),
        Reason(code="SERVICE_UNAVAILABLE", name="Service not available", gl_code="4903-SERV"),
        Reason(
            code="GOODWILL",
            name="Goodwill",
            charge_types=(ChargeType.CREDIT,),
            gl_code="4904-GOOD",
        ),
        Reason(code="DISPUTE", name="Settled dispute", gl_code="4905-DISP"),
        Reason(code="RATE_CORRECTION", name="Rated wrongly", gl_code="4906-RATE"),
        Reason(code="OTHER", name="Other", gl_code="4909-OTHR", comment_required=True),
    )
}

"""An adjustment: a correction of a charge, as it is asked for and as it was applied."""

from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import ConfigDict, Field, StringConstraints

from schemas.account import AccountReference
from schemas.amounts import Amounts
from schemas.forms import AMOUNT_MAX, Currency, Explained, Incoming, RefId, RequestId


class ChargeType(Explained):
    """Which way a charge is corrected."""

    CREDIT = "CREDIT", "Lowers the charge by the amount."
    DEBIT = "DEBIT", "Raises the charge by the amount."


class AdjustmentMode(Explained):
    """How the amount of an adjustment is given."""

    AMOUNT = "AMOUNT", "chargeType and chargeAdjustment say it."


class TaxTreatment(Explained):
    """What becomes of the tax."""

    PROPORTIONAL = "PROPORTIONAL", "Amount and tax move together."


class BillingTreatment(Explained):
    """Which bill shows an adjustment."""

    SAME_PERIOD = "SAME_PERIOD", "The bill of the charge's own period, which is still open."
    NEXT_BILL = "NEXT_BILL", "The next bill: the charge was invoiced already."


class RequestedAccount(Incoming):
    """The account whose charge is to be adjusted."""

    model_config = ConfigDict(extra="forbid")

    ref_id: RefId = Field(description="Id of the account; the key of the record.")


class AdjustmentRequest(Incoming):
    """What a caller asks: the credit or debit of one chargeable event."""

    model_config = ConfigDict(extra="forbid")

    request_id: RequestId = Field(
        description="GUID, unique for the account; in small letters once read. REQUEST_ID_REUSED."
    )
    user: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        description="Who asks for the adjustment."
    )
    account: RequestedAccount | None = Field(
        default=None, description="Owner of the event. ACCOUNT_NOT_FOUND, ACCOUNT_STATE_INVALID."
    )
    chargeable_event_ref_id: RefId = Field(
        description="The event to be adjusted. CHARGEABLE_EVENT_NOT_FOUND."
    )
    charge_type: ChargeType = Field(description="CREDIT lowers the charge, DEBIT raises it.")
    charge_adjustment: int = Field(
        ge=1,
        le=AMOUNT_MAX,
        description="Micro-units, above zero. CREDIT_EXCEEDS_REMAINING, SUM_OUT_OF_RANGE.",
    )
    currency: Currency = Field(description="ISO 4217 code of the amount. CURRENCY_MISMATCH.")
    tax_included: bool = Field(description="Whether chargeAdjustment is an amount with tax.")
    reason: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None,
        description="Why, by its code; BILLING_ERROR if not given. REASON_NOT_CONFIGURED.",
    )
    comment: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        default=None, description="Why, in words; some reasons want it. COMMENT_REQUIRED."
    )
    adjustment_mode: AdjustmentMode = Field(
        default=AdjustmentMode.AMOUNT, description="How the amount is given."
    )
    tax_treatment: TaxTreatment = Field(
        default=TaxTreatment.PROPORTIONAL, description="What becomes of the tax."
    )


class Adjustment(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """An adjustment that was applied; it never changes."""

    ref_id: Annotated[str, Meta(description="ADJ-<account refId>-<requestId>.")]
    request_id: Annotated[str, Meta(description="The request that asked for it.")]
    user: Annotated[str, Meta(description="Who asked for it.")]
    channel: Annotated[str, Meta(description="How the request came: REST, TOPIC or another.")]
    account: AccountReference
    chargeable_event_ref_id: Annotated[str, Meta(description="The event that was adjusted.")]
    charge_type: ChargeType
    adjustment_mode: AdjustmentMode
    tax_treatment: TaxTreatment
    currency: Annotated[str, Meta(description="ISO 4217 code of the amounts.")]
    reason: Annotated[str, Meta(description="Code of the reason.")]
    comment: Annotated[str | None, Meta(description="Why, in words.")]
    effect: Annotated[Amounts, Meta(description="Signed: a credit is below zero.")]
    before: Annotated[Amounts, Meta(description="The charge before the adjustment.")]
    after: Annotated[Amounts, Meta(description="before + effect.")]
    event_version: Annotated[int, Meta(description="Version of the event after the adjustment.")]
    billing_treatment: BillingTreatment
    reversal_of: Annotated[str | None, Meta(description="The adjustment that this one undoes.")]
    batch: Annotated[str | None, Meta(description="The batch that the request belonged to.")]
    requested_at: Annotated[
        str | None, Meta(description="When the broker appended the request, UTC.")
    ]

"""A chargeable event: something used, with what was charged; as rated and as adjusted since."""

from typing import Annotated, Self

import msgspec
from msgspec import Meta
from pydantic import Field, model_validator

from schemas.account import AccountReference
from schemas.amounts import Amounts
from schemas.forms import (
    INTEGER_MAX,
    RATE_MAX,
    Currency,
    Explained,
    Incoming,
    Instant,
    MicroAmount,
    RefId,
    Text,
)


class ChargeableEventKind(Explained):
    """What an account is charged for."""

    USAGE = "USAGE", "Something used, by quantity."
    RECURRING_FEE = "RECURRING_FEE", "A fee of each period."
    ONE_TIME_FEE = "ONE_TIME_FEE", "A fee charged once."


class ChargeableEventStatus(Explained):
    """How far a charge is on its way to the bill."""

    RATED = "RATED", "Not yet on a bill: an adjustment shows on the bill of the same period."
    BILLED = "BILLED", "On an invoice, which stays as it is: an adjustment is due on the next."


class AdjustmentState(Explained):
    """What adjustments have made of a charge."""

    NONE = "NONE", "As it was rated."
    PARTIALLY_CREDITED = "PARTIALLY_CREDITED", "Lowered; something remains."
    FULLY_CREDITED = "FULLY_CREDITED", "Nothing remains."
    INCREASED = "INCREASED", "Raised."


class RatedAccount(Incoming):
    """The account that a rated event is charged to."""

    ref_id: RefId = Field(description="Id of the account; the key of the record.")


class RatedAmounts(Incoming):
    """What was charged, in micro-units; without tax and tax make up the amount with tax."""

    tax_excluded_amount: MicroAmount = Field(description="Micro-units without tax.")
    tax_amount: MicroAmount = Field(description="Micro-units of tax.")
    tax_included_amount: MicroAmount = Field(description="Micro-units with tax.")

    @model_validator(mode="after")
    def balances(self) -> Self:
        """Refuse amounts that do not add up."""
        if self.tax_excluded_amount + self.tax_amount != self.tax_included_amount:
            message = "taxExcludedAmount and taxAmount do not make up taxIncludedAmount"
            raise ValueError(message)
        return self


class RatedTax(Incoming):
    """The tax that an event was rated with."""

    code: Text = Field(description="Name of the tax.")
    rate: int = Field(ge=0, le=RATE_MAX, description="Basis points: 2100 is 21.00 %.")


class RatedBillingPeriod(Incoming):
    """The period whose bill shows the charge."""

    start: Instant = Field(description="First moment of the period, ISO 8601 with offset.")
    end: Instant = Field(description="First moment after the period, ISO 8601 with offset.")


class RatedChargeableEvent(Incoming):
    """A chargeable event as rating has it now; attributes that are not listed are passed over."""

    ref_id: RefId = Field(description="Id of the event, unique for its account.")
    account: RatedAccount
    usage_type: Text = Field(description="What was used, in the words of rating.")
    kind: ChargeableEventKind
    event_date: Instant = Field(description="When it was used, ISO 8601 with offset.")
    quantity: int | None = Field(
        default=None, ge=0, le=INTEGER_MAX, description="How much was used, in its unit."
    )
    unit_of_measure: Text | None = Field(default=None, description="What the quantity counts.")
    currency: Currency = Field(description="ISO 4217 code; never changes.")
    original: RatedAmounts
    tax: RatedTax
    gl_code: Text | None = Field(default=None, description="General ledger account.")
    status: ChargeableEventStatus
    billing_period: RatedBillingPeriod
    invoice_ref_id: RefId | None = Field(default=None, description="The invoice, once billed.")


class Tax(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """The tax that an event was rated with."""

    code: Annotated[str, Meta(description="Name of the tax.")]
    rate: Annotated[int, Meta(description="Basis points: 2100 is 21.00 %.", ge=0, le=RATE_MAX)]


class BillingPeriod(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """The period whose bill shows the charge."""

    start: Annotated[str, Meta(description="First moment of the period, as it came in.")]
    end: Annotated[str, Meta(description="First moment after the period, as it came in.")]


class ChargeableEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """The after-image of a chargeable event: as rated, and what adjustments made of it."""

    ref_id: Annotated[str, Meta(description="Id of the event, unique for its account.")]
    account: AccountReference
    usage_type: Annotated[str, Meta(description="What was used, in the words of rating.")]
    kind: ChargeableEventKind
    event_date: Annotated[str, Meta(description="When it was used, as it came in.")]
    quantity: Annotated[
        Annotated[int, Meta(ge=0, le=INTEGER_MAX)] | None,
        Meta(description="How much was used, in its unit."),
    ]
    unit_of_measure: Annotated[str | None, Meta(description="What the quantity counts.")]
    currency: Annotated[str, Meta(description="ISO 4217 code.")]
    original: Annotated[Amounts, Meta(description="What was charged at first.")]
    tax: Tax
    gl_code: Annotated[str | None, Meta(description="General ledger account.")]
    status: ChargeableEventStatus
    billing_period: BillingPeriod
    invoice_ref_id: Annotated[str | None, Meta(description="The invoice, once billed.")]
    adjusted: Annotated[Amounts, Meta(description="Signed sum of the effects of adjustments.")]
    current: Annotated[Amounts, Meta(description="original + adjusted: what may be credited.")]
    adjustment_state: AdjustmentState
    adjustment_count: Annotated[
        int, Meta(description="How many adjustments were applied.", ge=0, le=INTEGER_MAX)
    ]
    version: Annotated[
        int, Meta(description="1 at first, and 1 more with each change.", ge=1, le=INTEGER_MAX)
    ]

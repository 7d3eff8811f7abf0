"""An adjustment: a correction of a charge, as it is asked for and as it was applied."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from pydantic import ConfigDict, Field, StringConstraints

from schemas.account import AccountReference
from schemas.amounts import Amounts
from schemas.forms import (
    AMOUNT_MAX,
    INTEGER_MAX,
    INTEGER_MIN,
    REF_ID_LETTERS,
    Currency,
    Explained,
    Incoming,
    RefId,
    RequestId,
)

CREDIT_PERCENT_MAX, DEBIT_PERCENT_MAX = 10_000, 1_000_000  # basis points of the original charge
ADJUSTMENT_REF_ID_MAX = 105  # characters: ADJ-, an account's refId, a hyphen, a GUID


class ChargeType(Explained):
    """Which way a charge is corrected."""

    CREDIT = "CREDIT", "Lowers the charge by the amount."
    DEBIT = "DEBIT", "Raises the charge by the amount."


class AdjustmentMode(Explained):
    """How the amount of an adjustment is given."""

    AMOUNT = "AMOUNT", "chargeAdjustment says it."
    PERCENT = "PERCENT", "percent says it, of the original charge."
    SET_TO = "SET_TO", "targetAmount says what the charge shall become."
    FULL = "FULL", "All that remains is credited."
    REVERSAL = "REVERSAL", "An earlier adjustment was undone; recorded, never asked for."


AskedMode = Literal[
    AdjustmentMode.AMOUNT, AdjustmentMode.PERCENT, AdjustmentMode.SET_TO, AdjustmentMode.FULL
]


class TaxTreatment(Explained):
    """What becomes of the tax."""

    PROPORTIONAL = "PROPORTIONAL", "Amount and tax move together."
    NO_TAX = "NO_TAX", "Only the amount without tax moves."
    TAX_ONLY = "TAX_ONLY", "Only the tax moves."


class BillingTreatment(Explained):
    """Which bill shows an adjustment."""

    SAME_PERIOD = "SAME_PERIOD", "The bill of the charge's own period, which is still open."
    NEXT_BILL = "NEXT_BILL", "The next bill: the charge was invoiced already."


class RequestedAccount(Incoming):
    """The account whose charge is to be adjusted."""

    model_config = ConfigDict(extra="forbid")

    ref_id: RefId = Field(description="Id of the account; the key of the record.")


class AdjustmentRequest(Incoming):
    """What a caller asks: a correction of one chargeable event, or to undo an earlier one.

    AMOUNT, meant if no mode is given, needs chargeType and chargeAdjustment; PERCENT chargeType and
    percent; SET_TO targetAmount; FULL the chargeType CREDIT. With PROPORTIONAL, meant if no
    treatment is given, all but FULL need taxIncluded too. What a mode does not need contradicts it.
    """

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
    charge_type: ChargeType | None = Field(
        default=None,
        description="CREDIT lowers the charge, DEBIT raises it. With AMOUNT and PERCENT; with FULL"
        " it is CREDIT. REASON_NOT_APPLICABLE.",
    )
    charge_adjustment: int | None = Field(
        default=None,
        ge=1,
        le=AMOUNT_MAX,
        description="With AMOUNT: micro-units, above zero. CREDIT_EXCEEDS_REMAINING,"
        " SUM_OUT_OF_RANGE.",
    )
    percent: int | None = Field(
        default=None,
        ge=1,
        le=DEBIT_PERCENT_MAX,
        description="With PERCENT: basis points of the original charge, 5000 is 50 %; up to 10000"
        " for a CREDIT. NOTHING_TO_ADJUST, CREDIT_EXCEEDS_REMAINING, SUM_OUT_OF_RANGE.",
    )
    target_amount: int | None = Field(
        default=None,
        ge=0,
        le=AMOUNT_MAX,
        description="With SET_TO: micro-units that the charge shall be; lower than now is a"
        " credit of the difference, higher a debit. NOTHING_TO_ADJUST, SUM_OUT_OF_RANGE.",
    )
    currency: Currency = Field(description="ISO 4217 code of the amount. CURRENCY_MISMATCH.")
    tax_included: bool | None = Field(
        default=None,
        description="Whether amount, percent or target mean the charge with tax. Mandatory with"
        " PROPORTIONAL, FULL excepted.",
    )
    reason: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None,
        description="Why, by its code; BILLING_ERROR if not given. REASON_NOT_CONFIGURED.",
    )
    comment: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        default=None, description="Why, in words; some reasons want it. COMMENT_REQUIRED."
    )
    adjustment_mode: AskedMode = Field(
        default=AdjustmentMode.AMOUNT,
        description="How the amount is given. AMOUNT: chargeAdjustment says it. PERCENT: percent"
        " says it. SET_TO: targetAmount says what the charge shall become. FULL: all that remains."
        " NOTHING_TO_ADJUST.",
    )
    tax_treatment: TaxTreatment = Field(
        default=TaxTreatment.PROPORTIONAL,
        description="What becomes of the tax. Amount, percent and target mean the part that moves.",
    )
    expected_version: int | None = Field(
        default=None,
        ge=INTEGER_MIN,
        le=INTEGER_MAX,
        description="Version of the event that the caller saw. VERSION_CONFLICT.",
    )
    reversal_of: (
        Annotated[
            str,
            StringConstraints(pattern=f"^{REF_ID_LETTERS}{{1,{ADJUSTMENT_REF_ID_MAX}}}$"),
        ]
        | None
    ) = Field(
        default=None,
        description="refId of an adjustment of this event that is to be undone, once; then none of"
        " mode, treatment, type, amount and taxIncluded is given. ADJUSTMENT_NOT_FOUND,"
        " ALREADY_REVERSED, NOT_REVERSIBLE, CREDIT_EXCEEDS_REMAINING, SUM_OUT_OF_RANGE.",
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
    event_version: Annotated[
        int,
        Meta(description="Version of the event after the adjustment.", ge=1, le=INTEGER_MAX),
    ]
    billing_treatment: BillingTreatment
    reversal_of: Annotated[str | None, Meta(description="The adjustment that this one undoes.")]
    batch: Annotated[str | None, Meta(description="The batch that the request belonged to.")]
    requested_at: Annotated[
        str | None, Meta(description="When the broker appended the request, UTC.")
    ]

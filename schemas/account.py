"""An account: who owes. As the CRM sends it, and as the engine keeps and publishes it."""

from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import Field

from schemas.forms import INTEGER_MAX, Currency, Explained, Incoming, RefId, Text


class AccountState(Explained):
    """Whether charges of an account may be adjusted."""

    INACTIVE = "INACTIVE", "Not yet in use; its charges are not adjusted."
    ACTIVE = "ACTIVE", "In use."
    SUSPENDED = "SUSPENDED", "Barred for a while; its charges are still adjusted."
    DEACTIVATED = "DEACTIVATED", "Closed for good; its charges are not adjusted any more."


class AccountUpsert(Incoming):
    """An account as the CRM has it now; attributes that are not listed are passed over."""

    ref_id: RefId = Field(description="Id of the account in the system; the key of the record.")
    external_id: Text | None = Field(default=None, description="Id of the account at the caller.")
    currency: Currency = Field(description="ISO 4217 code; never changes.")
    state: AccountState = Field(description="Whether charges may be adjusted.")
    tax_exempt: bool = Field(description="Whether debits are made without tax.")
    billing_in_progress: bool = Field(
        description="Whether a bill is being made; adjustments are refused meanwhile."
    )


class AccountReference(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """The account that something belongs to."""

    ref_id: Annotated[str, Meta(description="Id of the account; the key of the record.")]


class Account(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """The after-image of an account."""

    ref_id: Annotated[str, Meta(description="Id of the account in the system.")]
    external_id: Annotated[str | None, Meta(description="Id of the account at the caller.")]
    currency: Annotated[str, Meta(description="ISO 4217 code.")]
    state: AccountState
    tax_exempt: Annotated[bool, Meta(description="Whether debits are made without tax.")]
    billing_in_progress: Annotated[bool, Meta(description="Whether a bill is being made.")]
    version: Annotated[
        int, Meta(description="1 at first, and 1 more with each change.", ge=1, le=INTEGER_MAX)
    ]

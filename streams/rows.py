"""Rows as they are stored: values by place, without names, from which the JSON follows.

What goes in: an event, or what an applied request came to. What comes out: a third or a quarter of
the bytes that its JSON has, so that more of the state is in memory and less of it is moved about.

Always true: what is read is what was written, and its JSON is the JSON that was published, byte for
byte. Rows that were stored in an older form, as JSON or with the result's JSON, are read as well;
a row with more values than are known here is of a newer version, and is refused.
Whoever gives an entity or a result one more attribute makes a form of its own for older rows, so
that a repeat is still told what the first was.
"""

from functools import cache
from typing import Any, get_type_hints

import msgspec

from schemas.adjustment import (
    Adjustment,
    AdjustmentMode,
    BillingTreatment,
    ChargeType,
    TaxTreatment,
)
from schemas.adjustment_result import AdjustmentResult, ResultStatus
from schemas.amounts import Amounts
from schemas.chargeable_event import ChargeableEvent
from streams.domain.decide import adjustment_ref_id, applied_result

_MANY_VALUES = 0xDC  # how msgpack begins a list of more than 15 values
_encode, _pack = msgspec.json.Encoder().encode, msgspec.msgpack.Encoder().encode


class StoredAnswer(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The first result of a request, byte for byte, and what was asked: of refused requests."""

    content: bytes  # digest of what was asked
    status: str
    subject: str | None
    value: bytes
    reversed_by: str | None = None  # refId of the adjustment that reversed this request's own

    @property
    def adjustment(self) -> Adjustment | None:
        """What was applied: of answers in an older form."""
        return _decode_result(self.value).adjustment


class AppliedAnswer(
    msgspec.Struct,
    frozen=True,
    array_like=True,
    kw_only=True,
    gc=False,
    forbid_unknown_fields=True,
):
    """What an applied request came to; whatever follows from the event is left out."""

    content: bytes  # digest of what was asked
    event: bytes  # the row of the event as it was left
    request_id: str
    user: str
    channel: str
    charge_type: ChargeType
    adjustment_mode: AdjustmentMode
    tax_treatment: TaxTreatment
    reason: str
    comment: str | None
    effect: tuple[int, int, int]
    before: tuple[int, int, int]
    billing_treatment: BillingTreatment
    reversal_of: str | None
    batch: str | None
    requested_at: str | None
    reversed_by: str | None = None  # refId of the adjustment that reversed this one

    @property
    def status(self) -> str:
        """As of any answer."""
        return ResultStatus.APPLIED

    @property
    def subject(self) -> str:
        """The refId of the event."""
        return event_of_row(self.event).ref_id

    @property
    def adjustment(self) -> Adjustment:
        """What was applied."""
        return self._adjustment_of(event_of_row(self.event))

    @property
    def value(self) -> bytes:
        """The result, byte for byte as it was published."""
        event = event_of_row(self.event)
        return _encode(applied_result(event, self._adjustment_of(event)))

    def _adjustment_of(self, event: ChargeableEvent) -> Adjustment:
        return Adjustment(
            ref_id=adjustment_ref_id(event.account.ref_id, self.request_id),
            request_id=self.request_id,
            user=self.user,
            channel=self.channel,
            account=event.account,
            chargeable_event_ref_id=event.ref_id,
            charge_type=self.charge_type,
            adjustment_mode=self.adjustment_mode,
            tax_treatment=self.tax_treatment,
            currency=event.currency,
            reason=self.reason,
            comment=self.comment,
            effect=_amounts(self.effect),
            before=_amounts(self.before),
            after=event.current,
            event_version=event.version,
            billing_treatment=self.billing_treatment,
            reversal_of=self.reversal_of,
            batch=self.batch,
            requested_at=self.requested_at,
        )


def row_of_event(event: ChargeableEvent) -> bytes:
    """Give the row of an event."""
    return _pack(msgspec.convert(event, _EventRow, from_attributes=True))


def event_of_row(row: bytes) -> ChargeableEvent:
    """Give the event of a row. Raises msgspec.DecodeError, ValidationError."""
    if row.startswith(b"{"):
        return _decode_event(row)
    return msgspec.convert(_unpack_event(row), ChargeableEvent, from_attributes=True)


def applied_answer(content: bytes, event: bytes, adjustment: Adjustment) -> AppliedAnswer:
    """Give what is remembered of an applied request: digest, row of the event, adjustment."""
    return AppliedAnswer(
        content=content,
        event=event,
        request_id=adjustment.request_id,
        user=adjustment.user,
        channel=adjustment.channel,
        charge_type=adjustment.charge_type,
        adjustment_mode=adjustment.adjustment_mode,
        tax_treatment=adjustment.tax_treatment,
        reason=adjustment.reason,
        comment=adjustment.comment,
        effect=msgspec.structs.astuple(adjustment.effect),
        before=msgspec.structs.astuple(adjustment.before),
        billing_treatment=adjustment.billing_treatment,
        reversal_of=adjustment.reversal_of,
        batch=adjustment.batch,
        requested_at=adjustment.requested_at,
    )


def row_of_answer(answer: StoredAnswer | AppliedAnswer) -> bytes:
    """Give the row of an answer."""
    return _pack(answer)


def answer_of_row(row: bytes) -> StoredAnswer | AppliedAnswer:
    """Give the answer of a row. Raises msgspec.DecodeError, ValidationError."""
    return _unpack_applied(row) if row[0] == _MANY_VALUES else _unpack_stored(row)


def _amounts(values: tuple[int, int, int]) -> Amounts:
    excluded, tax, included = values
    return Amounts(tax_excluded_amount=excluded, tax_amount=tax, tax_included_amount=included)


@cache
def _by_place(entity: type[msgspec.Struct]) -> Any:
    """Make the form of an entity in which its values, and those within them, stand by place."""
    hints = get_type_hints(entity)
    fields = [(name, _form_of(hints[name])) for name in entity.__struct_fields__]
    name = f"{entity.__name__}Row"
    return msgspec.defstruct(name, fields, array_like=True, gc=False, forbid_unknown_fields=True)


def _form_of(hint: Any) -> Any:
    is_entity = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
    return _by_place(hint) if is_entity else hint


_EventRow = _by_place(ChargeableEvent)
_unpack_event = msgspec.msgpack.Decoder(_EventRow).decode
_unpack_stored = msgspec.msgpack.Decoder(StoredAnswer).decode
_unpack_applied = msgspec.msgpack.Decoder(AppliedAnswer).decode
_decode_event = msgspec.json.Decoder(ChargeableEvent).decode
_decode_result = msgspec.json.Decoder(AdjustmentResult).decode

"""A posted batch judged: what is to be adjusted and how, or all that is wrong with it at once."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Self

from api.batches.entries import Item
from api.event_filters import EventFilters
from api.filters import OF_EVENTS, event_filters
from api.parameters import MisfitError
from api.problems import Mishap
from schemas.adjustment import AdjustmentRequest
from schemas.adjustment_result import Fault
from schemas.faults import FAULTS_MAX, QUOTED_MAX
from schemas.forms import is_guid
from schemas.json_text import NotJsonError, parse_json, shallow
from schemas.reading import MalformedRequest, read_request, worth_judging
from schemas.refusals import Refusal

ITEMS_MAX = 10_000
BATCH_BYTES_MAX = 4 * 1024 * 1024  # so many items with the longest ids fit
USER_MAX = 128  # characters
TEXT_MAX = 2_000  # characters that are read of a text of an adjustment; none may have so many
FILTERS = {
    name: OF_EVENTS[name] for name in ("account", "from", "to", "usageType", "kind", "status")
}
KNOWN = ("batchId", "user", "dryRun", "filter", "items", "adjustment")
_OF_ITEMS_ALONE = frozenset(
    {"requestId", "user", "account", "chargeableEventRefId", "reversalOf", "expectedVersion"}
)
_ITEM = {"account": {"refId": "A"}, "chargeableEventRefId": "E"}
_ANY_ID = "00000000-0000-0000-0000-000000000000"
_LADDER = list(Refusal)
_REF_ID = OF_EVENTS["account"]


@dataclass(frozen=True, kw_only=True)
class BatchSubmission:
    """A batch that can be run; a filter or a list, never both."""

    batch_id: str
    user: str
    is_dry_run: bool
    filter: Mapping[str, str] | None
    items: Sequence[Item] | None
    adjustment: Mapping[str, Any]

    @property
    def event_filters(self) -> EventFilters:
        """Which events are meant; those of the adjustment's currency only."""
        assert self.filter is not None
        values = {name: FILTERS[name].read(text) for name, text in self.filter.items()}
        return event_filters(values | {"currency": self.adjustment["currency"]})


@dataclass(frozen=True, kw_only=True)
class BatchRejection:
    """Why a batch cannot be run."""

    mishap: Mishap | None = None
    detail: str
    faults: Sequence[Fault] = ()

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> Self:
        """Say all that is wrong: in the order of the codes, then by field; 20 at most."""
        shown = nsmallest(
            FAULTS_MAX, faults, key=lambda fault: (_LADDER.index(fault.code), fault.field)
        )
        return cls(detail=" ".join(fault.message for fault in shown), faults=shown)


def judge_batch(
    body: bytes, idempotency_key: str | None, uploaded: Sequence[Item] | None = None
) -> BatchSubmission | BatchRejection:
    """Read a body; `uploaded` are the items of a file that came with it."""
    try:
        given = parse_json(body, BATCH_BYTES_MAX)
    except NotJsonError as error:
        return BatchRejection(mishap=Mishap.NOT_JSON, detail=str(error))
    if not isinstance(given, dict):
        return BatchRejection(mishap=Mishap.NOT_AN_OBJECT, detail="A batch is a JSON object.")
    return judge_attributes(given, idempotency_key, uploaded)


def judge_attributes(
    attributes: Mapping[str, Any],
    idempotency_key: str | None = None,
    uploaded: Sequence[Item] | None = None,
) -> BatchSubmission | BatchRejection:
    """Judge a batch that was read."""
    given = _without_nulls(attributes)
    if idempotency_key:
        given.setdefault("batchId", idempotency_key)
    rejection = BatchRejection.of(_faults_of(given, idempotency_key, uploaded))
    if rejection.faults:
        return rejection
    items, asked = given.get("items"), given.get("filter")
    listed = None if items is None else [_item(each) for each in items]
    return BatchSubmission(
        batch_id=given["batchId"].lower(),
        user=given["user"],
        is_dry_run=given.get("dryRun", False),
        filter=None if asked is None else _without_nulls(asked),
        items=uploaded if listed is None else listed,
        adjustment=_with_defaults(given["adjustment"]),
    )


def _faults_of(
    given: Mapping[str, Any], idempotency_key: str | None, uploaded: Sequence[Item] | None
) -> Iterator[Fault]:
    yield from _unknown(given, KNOWN)
    yield from _batch_id_faults(given.get("batchId"), idempotency_key)
    user = given.get("user")
    if user is None:
        yield _fault(Refusal.MISSING_ATTRIBUTE, "user", "is missing")
    elif not isinstance(user, str):
        yield _fault(Refusal.INVALID_TYPE, "user", "must be a text")
    elif not 1 <= len(user) <= USER_MAX:
        yield _fault(
            Refusal.INVALID_FORMAT, "user", f"must be a text of 1 to {USER_MAX} characters"
        )
    if not isinstance(given.get("dryRun", False), bool):
        yield _fault(Refusal.INVALID_TYPE, "dryRun", "must be true or false")
    yield from _target_faults(given, uploaded)
    yield from _adjustment_faults(given.get("adjustment"))


def _batch_id_faults(batch_id: Any, idempotency_key: str | None) -> Iterator[Fault]:
    if batch_id is None:
        yield _fault(Refusal.MISSING_ATTRIBUTE, "batchId", "is missing: a GUID of 36 characters")
    elif not isinstance(batch_id, str):
        yield _fault(Refusal.INVALID_TYPE, "batchId", "must be a GUID of 36 characters, as a text")
    elif not is_guid(batch_id):
        yield _fault(Refusal.INVALID_FORMAT, "batchId", "must be a GUID of 36 characters")
    elif idempotency_key and idempotency_key.lower() != batch_id.lower():
        what = "and batchId must be the same"
        yield _fault(Refusal.CONFLICTING_ATTRIBUTES, "Idempotency-Key", what)


def _target_faults(given: Mapping[str, Any], uploaded: Sequence[Item] | None) -> Iterator[Fault]:
    """What is wrong with the filter, or the list."""
    ways = [name for name in ("filter", "items") if name in given]
    if uploaded is not None:
        for name in ways:
            yield _fault(Refusal.CONFLICTING_ATTRIBUTES, name, "does not go with a file of items")
        return
    if not ways:
        yield _fault(Refusal.MISSING_ATTRIBUTE, "filter", "or items must be given")
    elif len(ways) > 1:
        yield _fault(Refusal.CONFLICTING_ATTRIBUTES, "items", "does not go with filter")
    if "filter" in given:
        yield from _filter_faults(given["filter"])
    if "items" in given:
        yield from _list_faults(given["items"])


def _filter_faults(asked: Any) -> Iterator[Fault]:
    if not isinstance(asked, dict):
        yield _fault(Refusal.INVALID_TYPE, "filter", "must be an object")
        return
    given, values = _without_nulls(asked), {}
    if not given:
        yield _fault(Refusal.MISSING_ATTRIBUTE, "filter", f"must say one of {', '.join(FILTERS)}")
    yield from _unknown(given, FILTERS, "filter.")
    for name in given.keys() & FILTERS.keys():
        field, text = f"filter.{name}", given[name]
        if not isinstance(text, str):
            yield _fault(Refusal.INVALID_TYPE, field, f"must be {FILTERS[name].expected}")
        else:
            try:
                values[name] = FILTERS[name].read(text)
            except MisfitError as misfit:
                yield _fault(misfit.code, field, f"must be {FILTERS[name].expected}")
    if {"from", "to"} <= values.keys() and values["from"] > values["to"]:
        yield _fault(Refusal.CONFLICTING_ATTRIBUTES, "filter.to", "is before filter.from")


def _list_faults(items: Any) -> Iterator[Fault]:
    if not isinstance(items, list):
        yield _fault(Refusal.INVALID_TYPE, "items", "must be a list")
        return
    yield from size_faults(len(items))
    seen: dict[Item, int] = {}
    for place, each in enumerate(items[:ITEMS_MAX]):
        faults = [*_item_faults(each, f"items.{place}")]
        yield from faults
        if not faults:
            first = seen.setdefault(_item(each), place)
            if first != place:
                yield twice(f"items.{place}", f"items.{first}")


def size_faults(count: int) -> Iterator[Fault]:
    """What is wrong with a list of so many items."""
    if not 1 <= count <= ITEMS_MAX:
        what = f"must be 1 to {ITEMS_MAX:,} chargeable events, not {count:,}"
        yield _fault(Refusal.INVALID_FORMAT, "items", what)


def twice(place: str, first: str) -> Fault:
    """Say that an event is listed twice."""
    return _fault(Refusal.CONFLICTING_ATTRIBUTES, place, f"is the same event as {first}")


def ref_id_fault(field: str, text: Any) -> Fault | None:
    """What is wrong with an id, if it is wrong."""
    if text is None:
        return _fault(Refusal.MISSING_ATTRIBUTE, field, f"is missing: {_REF_ID.expected}")
    if not isinstance(text, str):
        return _fault(Refusal.INVALID_TYPE, field, f"must be {_REF_ID.expected}")
    try:
        _REF_ID.read(text)
    except MisfitError as misfit:
        return _fault(misfit.code, field, f"must be {_REF_ID.expected}")
    return None


def _item_faults(item: Any, place: str) -> Iterator[Fault]:
    if not isinstance(item, dict):
        yield _fault(Refusal.INVALID_TYPE, place, f"must be an object such as {json.dumps(_ITEM)}")
        return
    yield from _unknown(_without_nulls(item), _ITEM, f"{place}.")
    account = item.get("account")
    if account is not None and not isinstance(account, dict):
        yield _fault(Refusal.INVALID_TYPE, f"{place}.account", "must be an object with a refId")
    else:
        account = _without_nulls(account or {})
        yield from _unknown(account, {"refId"}, f"{place}.account.")
        if fault := ref_id_fault(f"{place}.account.refId", account.get("refId")):
            yield fault
    if fault := ref_id_fault(f"{place}.chargeableEventRefId", item.get("chargeableEventRefId")):
        yield fault


def _item(item: Mapping[str, Any]) -> Item:
    return Item(item["account"]["refId"], item["chargeableEventRefId"])


def _adjustment_faults(adjustment: Any) -> Iterator[Fault]:
    """What is wrong with it as part of each request: read as such a request is read."""
    if adjustment is None:
        yield _fault(Refusal.MISSING_ATTRIBUTE, "adjustment", "is missing")
        return
    if not isinstance(adjustment, dict):
        yield _fault(Refusal.INVALID_TYPE, "adjustment", "must be an object")
        return
    given = _without_nulls(adjustment)
    for name in given.keys() & _OF_ITEMS_ALONE:
        what = "is the batch's or the item's to say, not the adjustment's"
        yield _fault(Refusal.UNKNOWN_ATTRIBUTE, f"adjustment.{name}", what)
    others = {k: v for k, v in given.items() if k not in _OF_ITEMS_ALONE}
    read = _as_a_request(others)
    if isinstance(read, MalformedRequest):
        for fault in read.faults:
            yield Fault(code=fault.code, field=f"adjustment.{fault.field}", message=fault.message)
    else:
        assert isinstance(read, AdjustmentRequest), "a JSON object with a requestId"


def _as_a_request(adjustment: Mapping[str, Any]) -> Any:
    """Read it as part of a request, and of what is too long or too deep only that it is so."""
    judged = worth_judging(AdjustmentRequest, shallow(adjustment, levels=1))
    cut = {name[:TEXT_MAX]: _cut(part) for name, part in judged.items()}
    return read_request(json.dumps(request_of(cut, _ANY_ID, "A", Item("A", "E"))).encode())


def _cut(part: Any) -> Any:
    return part[:TEXT_MAX] if isinstance(part, str) else part


def _with_defaults(adjustment: Mapping[str, Any]) -> dict[str, Any]:
    """Give the same for the same thing, whether a default was said or not."""
    return _read_as_part(adjustment, exclude_none=True)


def without_defaults(adjustment: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what goes without saying: each item is shorter so, and read the quick way."""
    return _read_as_part(adjustment, exclude_defaults=True)


def _read_as_part(adjustment: Mapping[str, Any], **left_out: bool) -> dict[str, Any]:
    read = _as_a_request(adjustment).model_dump(mode="json", by_alias=True, **left_out)
    return {name: value for name, value in read.items() if name not in _OF_ITEMS_ALONE}


def _without_nulls(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def request_of(
    adjustment: Mapping[str, Any], request_id: str, user: str, item: Item
) -> dict[str, Any]:
    """Give the request of an item."""
    return {
        "requestId": request_id,
        "user": user,
        "account": {"refId": item.account},
        "chargeableEventRefId": item.event,
        **adjustment,
    }


def _unknown(given: Mapping[str, Any], known: Iterable[str], place: str = "") -> Iterator[Fault]:
    """Name attributes that there are not: in order, and no more of them than are told."""
    for name in nsmallest(FAULTS_MAX, given.keys() - {*known}):
        field = place + name
        shown = field if len(field) <= QUOTED_MAX else field[:QUOTED_MAX] + "…"
        text = f"{json.dumps(shown, ensure_ascii=False)} is not an attribute of a batch."
        yield Fault(code=Refusal.UNKNOWN_ATTRIBUTE, field=shown, message=text)


def _fault(code: Refusal, field: str, what: str) -> Fault:
    return Fault(code=code, field=field, message=f"{field} {what}.")

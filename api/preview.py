"""What a request would come to: `decide` itself, on the rows of the read model.

Nothing is published, and no rule stands here. The rows are those that the engine would look up, as
they were together at one moment; how far behind it that moment is, the read model knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from api.lookups import Lookups, Many, Standing
from schemas.account import Account
from schemas.adjustment import Adjustment, AdjustmentRequest
from schemas.chargeable_event import ChargeableEvent
from schemas.reading import read_request
from streams.domain.decide import content_of, decide, request_of_adjustment
from streams.domain.state import Answer, Noted, State

_decode_account = msgspec.json.Decoder(Account).decode
_decode_event = msgspec.json.Decoder(ChargeableEvent).decode
_decode_adjustment = msgspec.json.Decoder(Adjustment).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The result as it would be; none while an earlier request of the same id is undecided."""

    value: bytes | None
    is_replay: bool = False
    is_whole: bool  # whether all was there that the request names: an absence may be a delay


def preview(lookups: Lookups, account: str, request: AdjustmentRequest) -> Preview:
    """Decide a request of this account on what is kept now. Blocks: use threads."""
    with lookups.at_one_moment() as rows:
        standing = next(iter(rows.standings(request.request_id, account)), None)
        if standing is not None and _is_undecided(standing):
            return Preview(value=None, is_whole=False)
        state = _state(rows, account, request, standing)
    return _decided(account, request, state, standing)


def preview_many(
    lookups: Lookups, asked: Sequence[tuple[str, AdjustmentRequest]], batch_id: str
) -> list[Preview]:
    """Decide the requests of a batch, with their accounts, on what is kept now. Blocks."""
    with lookups.at_one_moment() as rows:
        found = rows.many(
            [(account, request.chargeable_event_ref_id) for account, request in asked],
            [request.request_id for _, request in asked],
        )
    return [_of_many(found, account, request, batch_id) for account, request in asked]


def _of_many(found: Many, account: str, request: AdjustmentRequest, batch_id: str) -> Preview:
    standing = found.standings.get((account, request.request_id))
    if standing is not None and _is_undecided(standing):
        return Preview(value=None, is_whole=False)
    owner = found.accounts.get(account)
    event = found.events.get((account, request.chargeable_event_ref_id))
    state = State(
        account=None if owner is None else _decode_account(owner),
        chargeable_event=None if event is None else _decode_event(event),
        answer=_answer(standing),
    )
    return _decided(account, request, state, standing, batch_id)


def _decided(
    account: str,
    request: AdjustmentRequest,
    state: State,
    standing: Standing | None,
    batch_id: str | None = None,
) -> Preview:
    is_whole = state.account is not None and state.chargeable_event is not None
    if request.reversal_of is not None:
        is_whole &= state.adjustment is not None
    decision = decide(state, request, Noted(account, "REST", batch_id, None))
    if decision.result is not None:
        return Preview(value=_encode(decision.result), is_whole=is_whole)
    assert standing is not None, "a repeat has an answer"
    return Preview(value=standing.value, is_replay=True, is_whole=True)


def _is_undecided(standing: Standing) -> bool:
    """Whether the id is taken, and either its first request or the result is not there yet."""
    return standing.is_taken and not (standing.asked is not None and standing.is_remembered)


def _state(
    rows: Lookups, account: str, request: AdjustmentRequest, standing: Standing | None
) -> State:
    """Give what the engine would read: see `streams.tables.read_state`."""
    owner = rows.account(account)
    event = next(iter(rows.events(request.chargeable_event_ref_id, account)), None)
    reversed_, reversal = _reversed(rows, account, request)
    return State(
        account=None if owner is None else _decode_account(owner),
        chargeable_event=None if event is None else _decode_event(event[1]),
        answer=_answer(standing),
        adjustment=reversed_,
        reversed_by=None if reversal is None else reversal.ref_id,
    )


def _answer(standing: Standing | None) -> Answer | None:
    if standing is None or standing.asked is None:
        return None
    first = read_request(standing.asked)
    assert isinstance(first, AdjustmentRequest), "only a well-formed request is kept as asked"
    return Answer(content_of(first))


def _reversed(
    rows: Lookups, account: str, request: AdjustmentRequest
) -> tuple[Adjustment | None, Adjustment | None]:
    """Give the event's adjustment that is to be reversed, and the one that reversed it."""
    ref_id, event = request.reversal_of, request.chargeable_event_ref_id
    if ref_id is None or (request_id := request_of_adjustment(account, ref_id)) is None:
        return None, None
    images = rows.adjustment(account, event, request_id), rows.reversal(account, ref_id)
    undone, reversal = (None if image is None else _decode_adjustment(image) for image in images)
    return undone, reversal

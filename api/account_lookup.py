"""Which account a request is meant for that names none: its requestId or its event tells."""

from starlette.responses import Response

from api.desk import TOPICS, Desk
from api.looking_up import NAMED_MAX, look_up
from api.lookups import Lookups
from api.problems import refusal_problem, unavailable
from schemas.adjustment import AdjustmentRequest
from schemas.refusals import Refusal


async def account_of(desk: Desk, request: AdjustmentRequest, path: str) -> str | Response:
    """Give the one account, or the problem why there is none.

    That an event is nowhere is said only of everything that the topics hold: who is told so too
    early credits twice.
    """
    if request.account is not None:
        return request.account.ref_id
    found = await look_up(desk, TOPICS, _accounts, desk.lookups, request)
    if isinstance(found, Response):
        return unavailable(
            f"No account is known to have {request.chargeable_event_ref_id}, but the topics have "
            "not been read to their ends. Nothing was sent."
        )
    return found[0] if len(found) == 1 else _refused(request, found, path)


def _accounts(lookups: Lookups, request: AdjustmentRequest) -> list[str]:
    """Give the account of an earlier request of this id, else those that have the event."""
    with lookups.at_one_moment() as rows:
        known = rows.standings(request.request_id, None)
        asked = [standing.account for standing in known if standing.is_taken]
        if len(asked) == 1:
            return asked
        return [name for name, _ in rows.events(request.chargeable_event_ref_id, None)]


def _refused(request: AdjustmentRequest, found: list[str], path: str) -> Response:
    event = request.chargeable_event_ref_id
    code, message = Refusal.CHARGEABLE_EVENT_NOT_FOUND, f"There is no chargeable event {event}."
    if found:
        names = ", ".join(found[:NAMED_MAX])
        message = f"{len(found)} accounts have {event}: {names}. Name the account."
        code = Refusal.AMBIGUOUS_ID
    fault = {"code": code, "field": "chargeableEventRefId", "message": message}
    return refusal_problem(
        {
            "requestId": request.request_id,
            "account": None,
            "chargeableEventRefId": event,
            "errors": [fault],
            "remaining": None,
            "chargeableEvent": None,
            "requestedAt": None,
        },
        path,
        {},
    )

"""What REST itself says of a request that has no result yet."""

import msgspec

from api.rows import Received


def received_document(received: Received) -> bytes:
    """Write how a request stands that is not decided."""
    return msgspec.json.encode(
        {
            "requestId": received.request_id,
            "account": {"refId": received.account},
            "chargeableEventRefId": received.chargeable_event_ref_id,
            "status": "RECEIVED",
            "adjustment": None,
            "chargeableEvent": None,
            "errors": [],
            "remaining": None,
            "requestedAt": received.requested_at,
        }
    )

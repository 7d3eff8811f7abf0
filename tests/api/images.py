"""After-images and requests as the topics bring them, made of the published examples."""

import json
from pathlib import Path
from typing import Any

from aiokafka.structs import ConsumerRecord

from api.records import enter_transaction, received_of
from api.rows import Received, Rows
from schemas.headers import MESSAGE_CODE, REQUEST_ID, SEQ
from tests.api.builders import ACCOUNT, a_request

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
EXAMPLE_OF = {
    "account": "active-account",
    "adjustment": "credit-of-an-open-event",
    "adjustment-result": "applied-credit",
    "chargeable-event": "partially-credited",
}


def image_of(kind: str, **changes: Any) -> bytes:
    """Give the example of a message, apart from the changes."""
    image: dict[str, Any] = json.loads((EXAMPLES / kind / f"{EXAMPLE_OF[kind]}.json").read_bytes())
    return json.dumps(image | changes).encode()


def a_record(
    value: bytes | None,
    *headers: tuple[str, bytes | None],
    account: str = ACCOUNT,
    partition: int = 0,
) -> Any:
    """Give the first record of a partition."""
    key, size = account.encode(), len(value or b"")
    return ConsumerRecord("any", partition, 0, 0, 0, key, value, None, len(key), size, headers)


def entered(code: bytes, *images: bytes, request: str | None = None) -> Rows:
    """Give the rows that after-images make, those of an adjustment if a request is named."""
    rows = Rows()
    named = [(SEQ, b"1"), *([(REQUEST_ID, request.encode())] if request else [])]
    for image in images:
        enter_transaction(rows, a_record(image, (MESSAGE_CODE, code), *named))
    return rows


def received(account: str = ACCOUNT, **changes: Any) -> Received:
    """Give a request of an account as it was received, apart from the changes."""
    request = a_request(account={"refId": account}, **changes)
    found = received_of(a_record(json.dumps(request).encode(), account=account), 1)
    assert found
    return found

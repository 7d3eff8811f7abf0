"""A few made-up business transactions, and the rows that good stores have of them."""

import json
import re
from pathlib import Path
from typing import Any

from tools.verify.log import Bounds, Record

Values = dict[str, Any]
EXAMPLES = Path("schemas/examples")
PARTITION, OTHER_PARTITION = 3, 7
FIRST_DAY_MS, SECOND_DAY_MS = 1_793_836_800_000, 1_793_923_200_000  # 2026-11-05, 2026-11-06
ALL = Bounds({}, {PARTITION: 9, OTHER_PARTITION: 2})
ENTITIES = {
    "account": "account",
    "chargeableEvent": "chargeable_event",
    "adjustment": "adjustment",
}


def example(name: str) -> Values:
    image: Values = json.loads((EXAMPLES / name).read_text())
    return image


ACCOUNT = example("account/active-account.json")
EVENT = example("chargeable-event/partially-credited.json")
ADJUSTMENT = example("adjustment/credit-of-an-open-event.json")
OF_REASON = {"refId": "CE-500002", "glCode": None}
"""An event without a G/L account, so that its adjustments go to that of their reason."""
WITHOUT_TAX = {
    "refId": "ADJ-ACC-1001-second",
    "chargeableEventRefId": "CE-500002",
    "effect": {"taxExcludedAmount": 500_000, "taxAmount": 0, "taxIncludedAmount": 500_000},
    "requestedAt": "2026-11-06T00:00:00.000Z",
}


def published() -> list[Record]:
    """Two accounts; two events of one, each adjusted; garbage; and what stores have not read."""
    other = {**ACCOUNT, "refId": "ACC-2002"}
    return [
        record(0, "account", ACCOUNT),
        record(1, "chargeableEvent", {**EVENT, "version": 1}),
        record(2, "chargeableEvent", EVENT),
        record(3, "adjustment", ADJUSTMENT),
        record(4, "chargeableEvent", EVENT | OF_REASON),
        record(5, "adjustment", ADJUSTMENT | WITHOUT_TAX),
        record(6, "chargeableEvent", {"refId": "half"}),
        record(8, "account", {**ACCOUNT, "version": 2}),
        record(0, "account", other, OTHER_PARTITION),
        record(1, "account", {**other, "version": 2}, OTHER_PARTITION),
    ]


POSITIONS = {PARTITION: (7, 6), OTHER_PARTITION: (1, 1)}
"""Next offset and last seq of stores that have all but the last record of each partition."""


def record(offset: int, code: str, image: Values, partition: int = PARTITION) -> Record:
    headers = {"X-Ocs-Io-message-code": code}
    if image != {"refId": "half"}:
        headers["seq"] = str(offset + 1)
    return Record(
        "business-transactions",
        partition,
        offset,
        b"ACC",
        json.dumps(image).encode(),
        headers,
        FIRST_DAY_MS if offset < 4 else SECOND_DAY_MS,
    )


def rows(*, last_only: bool) -> dict[str, list[Values]]:
    """The rows of each table as far as the positions go."""
    tables: dict[str, dict[object, Values]] = {
        name: {} for name in (*ENTITIES.values(), "set_aside")
    }
    for one in published():
        if one.offset >= POSITIONS[one.partition][0]:
            continue
        place = {"topic_partition": one.partition, "topic_offset": one.offset}
        code = one.headers["X-Ocs-Io-message-code"]
        if "seq" not in one.headers:
            aside = {"timestamp_ms": one.timestamp_ms, "code": code, "key": one.key}
            aside |= {"value": one.value, "fault": "It is only half."}
            tables["set_aside"][one.address] = aside | place
            continue
        row = flat(json.loads(one.value or b"")) | place
        key = (row.get("account_ref_id"), row["ref_id"]) if last_only else one.address
        tables[ENTITIES[code]][key] = row
    return {name: list(kept.values()) for name, kept in tables.items()}


def flat(image: Values, around: str = "") -> Values:
    found: Values = {}
    for name, value in image.items():
        column = around + re.sub("([A-Z])", r"_\1", name).lower()
        found |= flat(value, f"{column}_") if isinstance(value, dict) else {column: value}
    return found

"""Has an auditor, who knows the rules and nothing of the engine, decide every request again."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from tools.audit.auditor import Auditor, Disagreement
from tools.audit.shape import content
from tools.verify.answers import Answer
from tools.verify.checks import Check
from tools.verify.log import Record
from tools.verify.shelves import Shelf
from tools.verify.unreadable import NotJsonError, read_strictly, why_unclaimed

_CONTENT = {
    "user": "user",
    "chargeableEventRefId": "chargeable_event_ref_id",
    "chargeType": "charge_type",
    "chargeAdjustment": "charge_adjustment",
    "currency": "currency",
    "taxIncluded": "tax_included",
    "reason": "reason",
    "adjustmentMode": "adjustment_mode",
    "taxTreatment": "tax_treatment",
    "comment": "comment",
    "percent": "percent",
    "targetAmount": "target_amount",
    "expectedVersion": "expected_version",
    "reversalOf": "reversal_of",
}


class Judge:
    """The auditor's books of one partition number, in the order that the outputs are numbered."""

    def __init__(self, check: Check, book: Callable[[], Shelf]) -> None:
        """Begin with empty books."""
        self.unjudged = 0
        self._check = check
        self._auditor = Auditor(book)

    def enter(self, kind: str, record: Record, image: dict[str, Any]) -> None:
        """Enter a business transaction."""
        try:
            self._auditor.enter(kind, image)
        except Disagreement as disagreement:
            self._check.say(f"{disagreement} ({record.address})")

    def judge(self, answer: Answer, request: Record) -> dict[str, Any] | None:
        """Judge a result; give the request, if it is readable."""
        self._check.rows += 1
        try:
            asked = read_strictly(request.value or b"")
        except NotJsonError:
            asked = None
        except RecursionError:
            self.unjudged += 1
            return None
        key = (request.key or b"").decode(errors="replace")
        if why_unclaimed(asked, key):
            self._check.say(
                f"{answer.name}: {answer.record.address} answers {request.address}, which nobody "
                "can read as a request."
            )
            return None
        request_body: dict[str, Any] = asked
        self._judge(answer, request, request_body)
        return request_body

    def finish(self) -> None:
        """Say what was applied without its business transactions."""
        for line in self._auditor.outstanding():
            self._check.say(line)

    def _judge(self, answer: Answer, request: Record, asked: dict[str, Any]) -> None:
        try:
            self._auditor.judge(
                (request.key or b"").decode(),
                asked,
                answer.body,
                is_replay=answer.is_replay,
                is_remembered=answer.is_remembered,
            )
        except Disagreement as disagreement:
            self._check.say(f"{disagreement} ({answer.record.address})")
        told, time = answer.body.get("requestedAt"), _utc(request.timestamp_ms)
        if not answer.is_replay and told != time:
            self._check.say(
                f"{answer.name}: {answer.record.address} says it was asked at {told}, but Kafka "
                f"has {request.address} at {time}."
            )


def content_digest(asked: dict[str, Any]) -> bytes:
    """Tell what a well-formed request asks from other contents, as a remembered answer does."""
    given = content(asked)
    kept = {name: given[wire] for wire, name in _CONTENT.items() if given.get(wire) is not None}
    return hashlib.sha256(msgspec.json.encode(kept)).digest()


@lru_cache(maxsize=1024)
def _utc(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"

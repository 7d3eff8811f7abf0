"""What matters of a result."""

import struct
from dataclasses import dataclass
from typing import Any

import msgspec

from tools.verify.log import Record

REUSED = "REQUEST_ID_REUSED"
MALFORMED = {
    *("MISSING_ATTRIBUTE", "INVALID_TYPE", "INVALID_FORMAT", "INVALID_ENUM", "UNKNOWN_ATTRIBUTE"),
    *("AMOUNT_NOT_POSITIVE", "AMOUNT_OUT_OF_RANGE", "CONFLICTING_ATTRIBUTES"),
}
NOT_OF_THE_FORM = (
    *(KeyError, TypeError, ValueError, AttributeError, OverflowError),
    *(struct.error, msgspec.DecodeError),
)
decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Answer:
    """A result with what its headers say."""

    record: Record
    body: dict[str, Any]
    source: str
    account: str
    request_id: str
    codes: frozenset[str]
    is_replay: bool
    is_remembered: bool

    @classmethod
    def read(cls, record: Record) -> "Answer":
        """Read a result. Raises one of NOT_OF_THE_FORM."""
        body = decode(record.value or b"")
        codes = frozenset(fault["code"] for fault in body["errors"])
        answer = cls(
            record=record,
            body=body,
            source=record.headers["source"],
            account=body["account"]["refId"],
            request_id=body["requestId"],
            codes=codes,
            is_replay=record.headers.get("replay") == "true",
            is_remembered=record.headers.get("remembered") != "false",
        )
        adjustment, image = body["adjustment"], body["chargeableEvent"]
        if (body["status"] == "APPLIED") != (not codes and bool(adjustment) and bool(image)):
            raise ValueError(f"{body['status']} with {sorted(codes)}")
        return answer

    @property
    def key(self) -> bytes:
        """What the answer is remembered under."""
        return f"{self.account}/{self.request_id}".encode()

    @property
    def name(self) -> str:
        """Name the request as a reader of the report would look for it."""
        return f"Request {self.request_id} of account {self.account}"

    @property
    def is_first(self) -> bool:
        """Whether it is the answer that counts for its requestId."""
        return self.is_remembered and not self.is_replay

    @property
    def is_applied(self) -> bool:
        """Whether it adjusted its charge."""
        return not self.is_replay and self.body["status"] == "APPLIED"

    @property
    def may_be_forgotten(self) -> bool:
        """Whether it is one of those that do not take the place of a first answer."""
        return bool(self.codes) and self.codes <= MALFORMED | {REUSED}

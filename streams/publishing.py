"""Results and business transactions as records: their headers, in the order readers know."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from schemas.account import Account
from schemas.adjustment import Adjustment
from schemas.chargeable_event import ChargeableEvent
from streams.delivery.work import Work

RESULTS, BUSINESS_TRANSACTIONS = "adjustment-results", "business-transactions"
NOTED_MAX = 256  # bytes of a header that is noted; a longer one counts as absent

_COMMON = (
    ("ce_specversion", b"1.0"),
    ("ce_source", b"/adjust/streams"),
    ("content-type", b"application/json"),
)
_KINDS = {
    Account: ("account", "AccountEx", "io.adjust.Account.updated.v1"),
    ChargeableEvent: (
        "chargeableEvent",
        "ChargeableEventEx",
        "io.adjust.ChargeableEvent.updated.v1",
    ),
    Adjustment: ("adjustment", "AdjustmentEx", "io.adjust.Adjustment.created.v1"),
}
_ENTITY_HEADERS = {
    kind: (
        ("X-Ocs-Io-message-code", code.encode()),
        ("X-Ocs-Io-message-payload", payload.encode()),
        ("ce_type", ce_type.encode()),
        *_COMMON,
    )
    for kind, (code, payload, ce_type) in _KINDS.items()
}
_RESULT_HEADERS = {
    status: (("ce_type", f"io.adjust.AdjustmentResult.{status.lower()}.v1".encode()), *_COMMON)
    for status in ("APPLIED", "REFUSED")
}
_REPLAY, _NOT_REMEMBERED = ("replay", b"true"), ("remembered", b"false")


class Source:
    """The input record from which outputs follow, and what its headers noted."""

    __slots__ = (
        "batch",
        "channel",
        "headers",
        "key",
        "place",
        "state_seq",
        "time",
        "timestamp",
        "transaction_id",
    )

    def __init__(self, work: Work, record: Any, request_id: str | None = None) -> None:
        self.state_seq = work.seq[BUSINESS_TRANSACTIONS]  # before the decision
        self.key, self.timestamp = record.key, record.timestamp
        self.place = f"{record.topic}-{record.partition}-{record.offset}".encode()
        self.time = utc_text(record.timestamp)
        noted = _noted(record.headers) if record.headers else {}
        self.channel, self.batch = noted.get("channel") or "TOPIC", noted.get("batch")
        self.headers = [("source", self.place), ("ce_time", self.time.encode())]
        self.transaction_id = self.place if request_id is None else request_id.encode()
        if request_id is not None:
            self.headers.append(("requestId", self.transaction_id))
        if trace := noted.get("traceparent"):
            self.headers.append(("traceparent", trace.encode()))


def publish_entity(
    work: Work,
    source: Source,
    number: int,
    entity: Account | ChargeableEvent | Adjustment,
    image: bytes,
) -> None:
    """One business transaction: the after-image of what changed, as JSON."""
    headers = [
        *source.headers,
        ("ce_id", b"%s-%d" % (source.place, number)),
        ("ce_subject", entity.ref_id.encode()),
        ("X-Ocs-Io-transaction-id", source.transaction_id),
        *_ENTITY_HEADERS[type(entity)],
    ]
    work.emit(BUSINESS_TRANSACTIONS, source.key, image, headers, source.timestamp)


def publish_result(  # noqa: PLR0913 - what a result's record is made of
    work: Work,
    source: Source,
    number: int,
    value: bytes,
    *,
    status: str,
    subject: str | None,
    is_replay: bool = False,
    is_remembered: bool = True,
) -> None:
    """What the caller is told."""
    headers = [
        ("state-seq", b"%d" % source.state_seq),
        *source.headers,
        ("ce_id", b"%s-%d" % (source.place, number)),
        *_RESULT_HEADERS[status],
    ]
    if subject is not None:
        headers.append(("ce_subject", subject.encode()))
    if is_replay:
        headers.append(_REPLAY)
    if not is_remembered:
        headers.append(_NOT_REMEMBERED)
    work.emit(RESULTS, source.key, value, headers, source.timestamp)


def _noted(headers: Any) -> dict[str, str]:
    """The headers that are noted, where they can be read; the first of a name counts."""
    noted: dict[str, str] = {}
    for name, content in headers:
        if name in {"channel", "batch", "traceparent"} and content and len(content) <= NOTED_MAX:
            try:
                noted.setdefault(name, content.decode())
            except UnicodeDecodeError:
                continue
    return noted


@lru_cache(maxsize=1024)
def utc_text(milliseconds: int) -> str:
    """Milliseconds since 1970 as YYYY-MM-DDTHH:MM:SS.mmmZ."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"

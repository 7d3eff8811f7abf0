"""The names of the headers that records carry, and how their number is read."""

from collections.abc import Mapping

CHANNEL = "channel"
BATCH = "batch"
TRACEPARENT = "traceparent"

SEQ = "seq"
STATE_SEQ = "state-seq"
REQUEST_ID = "requestId"
SOURCE = "source"
REPLAY = "replay"
REMEMBERED = "remembered"
FOUND_AT = "found-at"

CE_ID = "ce_id"
CE_SOURCE = "ce_source"
CE_TYPE = "ce_type"
CE_SPECVERSION = "ce_specversion"
CE_TIME = "ce_time"
CE_SUBJECT = "ce_subject"
CONTENT_TYPE = "content-type"

TRANSACTION_ID = "X-Ocs-Io-transaction-id"
MESSAGE_CODE = "X-Ocs-Io-message-code"
MESSAGE_PAYLOAD = "X-Ocs-Io-message-payload"

DLQ_TOPIC = "dlq-topic"
DLQ_PARTITION = "dlq-partition"
DLQ_OFFSET = "dlq-offset"
DLQ_CODE = "dlq-code"
DLQ_TEXT = "dlq-text"
DLQ_TRUNCATED = "dlq-truncated"

DIGITS_MAX = 18  # of a number that fits 64 bits


def seq_of(headers: Mapping[str, bytes | None]) -> int | None:
    """Give the number that the engine gave a record; None where somebody else wrote it."""
    return number_of(headers.get(SEQ))


def number_of(text: bytes | None) -> int | None:
    """Read 1 to 18 decimal digits; None for anything else."""
    return int(text) if text and len(text) <= DIGITS_MAX and text.isdigit() else None

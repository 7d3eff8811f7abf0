"""The names of the headers that records carry, and how their number is read."""

import re
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

_SEQ = re.compile(rb"[0-9]{1,18}")


def seq_of(headers: Mapping[str, bytes | None]) -> int | None:
    """Give the number that the engine gave a record; None where somebody else wrote it."""
    seq = headers.get(SEQ)
    return int(seq) if seq is not None and _SEQ.fullmatch(seq) else None

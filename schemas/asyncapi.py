"""The AsyncAPI 3 document of the topics, built from the catalogue."""

from typing import Any

from schemas import headers
from schemas.dead_letters import DeadLetterCode
from schemas.messages import MESSAGES, examples_of, schema_with_parts
from schemas.topics import DEAD_LETTERS, INPUTS, OUTPUTS, Topic

VERSION = "1.0.0"
DEAD_LETTER = "dead-letter"

_SCHEMAS = "#/components/schemas/"
_REQUEST_HEADERS = {
    headers.CHANNEL: "How the request came; none is TOPIC.",
    headers.BATCH: "The batch that the request belongs to.",
    headers.TRACEPARENT: "W3C trace context; passed through.",
}
_OUTPUT_HEADERS = {
    headers.SEQ: "From 1 in each partition, one more with each record of the topic.",
    headers.REQUEST_ID: "The request; none on what follows from an upsert.",
    headers.SOURCE: "topic-partition-offset of the input record.",
    headers.CE_ID: "The source and the number of the output that follows from it.",
    headers.CE_SOURCE: "/adjust/streams",
    headers.CE_TYPE: "What happened to which entity.",
    headers.CE_SPECVERSION: "1.0",
    headers.CE_TIME: "When the broker appended the input record, UTC.",
    headers.CE_SUBJECT: "refId of the entity; on a result, of the chargeable event.",
    headers.CONTENT_TYPE: "application/json",
    headers.TRACEPARENT: "As on the request.",
}
_RESULT_HEADERS = _OUTPUT_HEADERS | {
    headers.STATE_SEQ: "seq of the partition's last business transaction before the decision.",
    headers.REPLAY: "true on a first result that is emitted again.",
    headers.REMEMBERED: "false on a result that never is the first one of its requestId.",
}
_ENTITY_HEADERS = _OUTPUT_HEADERS | {
    headers.TRANSACTION_ID: "The requestId, or the source of an upsert.",
    headers.MESSAGE_CODE: "account, chargeableEvent or adjustment.",
    headers.MESSAGE_PAYLOAD: "AccountEx, ChargeableEventEx or AdjustmentEx.",
}
_DEAD_LETTER_HEADERS = {
    headers.DLQ_TOPIC: "The topic that the record was found in.",
    headers.DLQ_PARTITION: "Its partition.",
    headers.DLQ_OFFSET: "Its offset.",
    headers.DLQ_CODE: str(DeadLetterCode.__doc__),
    headers.DLQ_TEXT: "What is wrong with it, for people.",
    headers.DLQ_TRUNCATED: "true where the value was too large and is cut.",
}
_HEADERS: dict[str, dict[str, str]] = {
    "adjustment-request": _REQUEST_HEADERS,
    "adjustment-result": _RESULT_HEADERS,
    "account": _ENTITY_HEADERS,
    "chargeable-event": _ENTITY_HEADERS,
    "adjustment": _ENTITY_HEADERS,
    DEAD_LETTER: _DEAD_LETTER_HEADERS,
}


def build_asyncapi() -> dict[str, Any]:
    """Describe every topic that others write or read; the engine's own changelogs are not here."""
    topics = (*INPUTS, *OUTPUTS, *DEAD_LETTERS)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Adjustments of chargeable events",
            "version": VERSION,
            "description": "What is written to and read from the topics. The key of a record is"
            " the account's refId, and its partition murmur2 of the key.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {topic.name: _operation(topic) for topic in topics},
        "components": {
            "messages": {name: _message(name) for name in MESSAGES}
            | {DEAD_LETTER: _dead_letter_message()},
            "schemas": _components(),
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    configs = topic.configs()
    return {
        "address": topic.name,
        "description": f"{topic.description} Written by: {topic.writers}."
        f" Read by: {topic.readers}. Key: {topic.key}.",
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic)
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [configs["cleanup.policy"]],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    place = f"#/channels/{topic.name}"
    return {
        "action": "receive" if topic in INPUTS else "send",
        "channel": {"$ref": place},
        "summary": topic.description,
        "messages": [{"$ref": f"{place}/messages/{name}"} for name in _messages_of(topic)],
    }


def _messages_of(topic: Topic) -> tuple[str, ...]:
    return topic.schemas or (DEAD_LETTER,)


def _message(name: str) -> dict[str, Any]:
    message = MESSAGES[name]
    return {
        "name": message.__name__,
        "summary": (message.__doc__ or "").split("\n\n")[0],
        "headers": _headers(_HEADERS.get(name, {})),
        "payload": {"$ref": f"{_SCHEMAS}{message.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": shows, "payload": it} for shows, it in examples_of(name).items()],
    }


def _dead_letter_message() -> dict[str, Any]:
    return {
        "name": "DeadLetter",
        "summary": "A record that could not be taken: key, value and headers as they were found.",
        "contentType": "application/octet-stream",
        "headers": _headers(_DEAD_LETTER_HEADERS),
        "payload": {},
    }


def _headers(described: dict[str, str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": it} for name, it in described.items()}
    return {"type": "object", "properties": properties}


def _components() -> dict[str, Any]:
    components: dict[str, Any] = {}
    for name, message in MESSAGES.items():
        schema = schema_with_parts(name, _SCHEMAS)
        components |= schema.pop("$defs", {})
        components.setdefault(message.__name__, schema)
    return components

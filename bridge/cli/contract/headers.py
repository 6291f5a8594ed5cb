"""Schemas of record headers: CloudEvents in binary mode (Kafka protocol binding 1.0.2, section 3.2)."""

from typing import Any

from topics.envelope import CLOUDEVENTS_SPECVERSION
from topics.replies import DeadLetterReason

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_IDENTITY: Schema = {"type": "string", "minLength": 1, "maxLength": 255}

_REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type")
_TRACE = ("ce_traceparent", "ce_tracestate", "traceparent", "tracestate")
_DEAD_LETTER = {
    "dlq.reason": "Why it is here",
    "dlq.detail": "What is wrong, path by path",
    "dlq.topic": "Where it was read: topic",
    "dlq.partition": "Where it was read: partition",
    "dlq.offset": "Where it was read: offset",
    "dlq.timestamp": "When it was written (RFC 3339, UTC, ms)",
    "dlq.group": "The daemon's consumer group",
    "dlq.attempts": "How often it was tried",
    "dlq.failed_at": "When it was given up (RFC 3339, UTC, ms)",
    "dlq.replays": "How often it was replayed",
    "dlq.null": "`value`: the empty value was null",
}


def command(type_: str) -> Schema:
    """Return what a command's headers hold; structured mode and bare JSON are read too."""
    optional = {
        "ce_time": _TIME,
        "ce_subject": _TEXT,
        "ce_correlationid": _TEXT,
        "ce_replyto": {"type": "string", "description": "One of BRIDGE_REPLY_TOPICS"},
        "ce_replywhen": {"type": "string", "const": "done"},
    }
    return _object(type_, optional, ())


def outcome(type_: str) -> Schema:
    """Return what the headers of an event of ours hold."""
    written = {
        "ce_time": _TIME,
        "ce_subject": _TEXT,
        "ce_correlationid": _TEXT,
        "ce_causationid": _TEXT,
        "ce_partitionkey": _TEXT,
    }
    return _object(type_, written, tuple(written))


def dead_letter() -> Schema:
    """Return what a dead letter's headers hold beside those that the record came with."""
    properties: dict[str, Schema] = {
        name: {"type": "string", "description": text} for name, text in _DEAD_LETTER.items()
    }
    properties["dlq.reason"]["enum"] = list(DeadLetterReason)
    optional = {"dlq.null", "dlq.detail"}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _object(type_: str, more: dict[str, Schema], required: tuple[str, ...]) -> Schema:
    properties: dict[str, Schema] = {
        "content-type": {"type": "string", "const": "application/json"},
        "ce_specversion": {"type": "string", "const": CLOUDEVENTS_SPECVERSION},
        "ce_id": _IDENTITY,
        "ce_source": _IDENTITY,
        "ce_type": {"type": "string", "const": type_},
        **more,
        **dict.fromkeys(_TRACE, _TEXT),
    }
    return {"type": "object", "properties": properties, "required": [*_REQUIRED, *required]}

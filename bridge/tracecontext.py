"""W3C trace context of a record, and of what the bridge emits for it.

Trace Context level 1, sections 3.2 (traceparent) and 3.3 (tracestate).
"""

import re
from collections.abc import Mapping

from topics import ids

TRACESTATE_CHARACTERS_MAX = 512

_SAMPLED = 1  # of the flags

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_TRACE_ID, _SPAN_ID = slice(3, 35), slice(36, 52)  # in a traceparent that is well-formed
_SPAN = re.compile(r"(?!0{16})[0-9a-f]{16}", re.ASCII)
_TRACESTATE = re.compile(rf"[\x20-\x7e]{{1,{TRACESTATE_CHARACTERS_MAX}}}", re.ASCII)


def incoming(
    plain: bytes | None, plain_state: bytes | None, attributes: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """Return traceparent and tracestate: the plain headers first, else the event's; malformed ones are dropped."""
    if plain is not None and (parent := _well_formed(plain.decode(errors="replace"))):
        return parent, _state((plain_state or b"").decode(errors="replace"))
    own = attributes.get("traceparent")
    parent = _well_formed(own) if own is not None else None
    return (parent, _state(attributes.get("tracestate", ""))) if parent else (None, None)


def begun(request_id: str) -> str:
    """Return the traceparent of a command that came without one: the same one for each copy of the command."""
    digits = request_id.replace("-", "")
    return f"00-{digits}-{digits[:16]}-01"


def with_span(traceparent: str, span_id: str) -> str:
    """Return a traceparent of the same trace that names another span."""
    return f"{traceparent[: _SPAN_ID.start]}{span_id}{traceparent[_SPAN_ID.stop :]}"


def unsampled(traceparent: str) -> str:
    """Return the traceparent of a trace that nobody is asked to record."""
    return f"{traceparent[:-2]}{int(traceparent[-2:], 16) & ~_SAMPLED:02x}"


def sampled(traceparent: str) -> str:
    """Return the traceparent of a trace that is recorded."""
    return f"{traceparent[:-2]}{int(traceparent[-2:], 16) | _SAMPLED:02x}"


def is_sampled(traceparent: str) -> bool:
    """Return whether who made the traceparent records the trace."""
    return bool(int(traceparent[-2:], 16) & _SAMPLED)


def is_span_id(text: str) -> bool:
    """Return whether a span can have that id."""
    return _SPAN.fullmatch(text) is not None


def record_span(topic: str, partition: int, offset: int, timestamp_ms: int) -> str:
    """Return the id of the span in which a record is processed: the same one whoever processes it, and however often.

    All that is told of a command names that span, and a copy of an event has the same bytes.
    """
    return ids.digits("record", topic, str(partition), str(offset), str(timestamp_ms))[:16]


def child(traceparent: str, event_id: str) -> str:
    """Return the traceparent of an emitted event: the command's trace, and a span id that copies of the event share."""
    return with_span(traceparent, f"{event_id[:8]}{event_id[9:13]}{event_id[14:18]}")


def trace_id(traceparent: str) -> str:
    """Return the trace id, 32 hex digits."""
    return traceparent[_TRACE_ID]


def _well_formed(text: str) -> str | None:
    return text if _TRACEPARENT.fullmatch(text) else None


def _state(text: str) -> str | None:
    return text if _TRACESTATE.fullmatch(text) else None

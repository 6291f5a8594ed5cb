"""W3C trace context of a record, and of what the bridge emits for it.

Trace Context level 1, sections 3.2 (traceparent) and 3.3 (tracestate).
"""

import re
from collections.abc import Mapping

TRACESTATE_CHARACTERS_MAX = 512

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_TRACE_ID, _SPAN_ID = slice(3, 35), slice(36, 52)  # in a traceparent that is well-formed
_TRACESTATE = re.compile(rf"[\x20-\x7e]{{1,{TRACESTATE_CHARACTERS_MAX}}}", re.ASCII)


def incoming(
    plain: bytes | None, plain_state: bytes | None, attributes: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """Return traceparent and tracestate: the plain headers first, else the event's; malformed ones are dropped."""
    if plain is not None and (parent := _well_formed(plain.decode(errors="replace"))):
        return parent, _state((plain_state or b"").decode(errors="replace"))
    parent = _well_formed(attributes.get("traceparent", ""))
    return (parent, _state(attributes.get("tracestate", ""))) if parent else (None, None)


def begun(request_id: str) -> str:
    """Return the traceparent of a command that came without one: the same one for each copy of the command."""
    digits = request_id.replace("-", "")
    return f"00-{digits}-{digits[:16]}-01"


def child(traceparent: str, event_id: str) -> str:
    """Return the traceparent of an emitted event: the command's trace, and a span id that copies of the event share."""
    span_id = f"{event_id[:8]}{event_id[9:13]}{event_id[14:18]}"
    return f"{traceparent[: _SPAN_ID.start]}{span_id}{traceparent[_SPAN_ID.stop :]}"


def trace_id(traceparent: str) -> str:
    """Return the trace id, 32 hex digits."""
    return traceparent[_TRACE_ID]


def _well_formed(text: str) -> str | None:
    return text if _TRACEPARENT.fullmatch(text) else None


def _state(text: str) -> str | None:
    return text if _TRACESTATE.fullmatch(text) else None

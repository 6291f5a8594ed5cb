"""What the history of a run tells of the commands that came into it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jiter
from temporalio.api.common.v1 import Header
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from bridge.dispatch.form import COMMAND_HEADER, TRACER_HEADER

_SIGNED: Mapping[int, str] = MappingProxyType(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: (
            "workflow_execution_cancel_requested_event_attributes"
        ),
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "workflow_execution_terminated_event_attributes",
    }
)
_IDENTITY = re.compile(r"bridge/(?P<group>[^/]+)/(?P<request>[0-9a-f-]{36})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Came:
    """A command that came into a run, as the run's history has it; of a cancel or terminate only `request_id`."""

    verb: str
    at_ms: int
    id: str = ""
    source: str = ""
    type: str = ""
    trace_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """The newest events of a run: the commands that came in, and when its activities were scheduled first (ms)."""

    came: tuple[Came, ...]
    scheduled_ms: tuple[int, ...]
    is_whole: bool


def read(events: Sequence[HistoryEvent], *, is_whole: bool) -> Past:
    """Return what some events of a history tell, in their order."""
    scheduled = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    return Past(
        tuple(each for event in events if (each := _came(event)) is not None),
        tuple(event.event_time.ToMilliseconds() for event in events if event.event_type == scheduled),
        is_whole=is_whole,
    )


def _came(event: HistoryEvent) -> Came | None:
    """Return the command that an event of a history is the effect of, if it is one's."""
    at_ms = event.event_time.ToMilliseconds()
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        return _carried("signal", event.workflow_execution_signaled_event_attributes.header, at_ms)
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        request = event.workflow_execution_update_accepted_event_attributes.accepted_request
        return _carried("update", request.input.header, at_ms)
    if event.event_type in _SIGNED:
        signed = _IDENTITY.fullmatch(getattr(event, _SIGNED[event.event_type]).identity)
        verb = "terminate" if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED else "cancel"
        return Came(verb, at_ms, request_id=signed["request"]) if signed is not None else None
    return None


def _carried(verb: str, header: Header, at_ms: int) -> Came | None:
    command, trace = _object(header, COMMAND_HEADER), _object(header, TRACER_HEADER)
    texts = [command.get(name) for name in ("id", "source", "type")]
    if not all(isinstance(text, str) for text in texts):
        return None
    parent = trace.get("traceparent")
    parts = parent.split("-") if isinstance(parent, str) else []
    trace_id = parts[1] if len(parts) == 4 else None
    return Came(verb, at_ms, str(texts[0]), str(texts[1]), str(texts[2]), trace_id)


def _object(header: Header, name: str) -> dict[str, Any]:
    payload = header.fields.get(name)
    try:
        found = jiter.from_json(payload.data) if payload is not None else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

"""The Temporal headers that carry a command: `bridge-command`, and the SDK's own for the trace."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from temporalio.api.common.v1 import Payload

from workers.sdk.command import CommandReference

COMMAND_HEADER = "bridge-command"
TRACE_HEADER = "_tracer-data"
"""What the SDK's OpenTelemetry interceptor reads and writes."""

Headers = Mapping[str, Payload]

_ATTRIBUTES = tuple(field.name for field in fields(CommandReference))
_TRACE_ATTRIBUTES = ("traceparent", "tracestate")


def read(headers: Headers) -> CommandReference | None:
    """Return the command that `headers` carry; None if they carry none, or one that cannot be read."""
    command = _json_object(headers.get(COMMAND_HEADER))
    values = _json_object(headers.get(TRACE_HEADER))
    trace = {name: values[name] for name in _TRACE_ATTRIBUTES if name in values}
    attributes = {name: value for name, value in (trace | command).items() if name in _ATTRIBUTES and value is not None}
    if not {"id", "source", "type"} <= attributes.keys() or not all(isinstance(v, str) for v in attributes.values()):
        return None
    return CommandReference(**attributes)


def write(headers: Headers, command: CommandReference) -> Headers:
    """Return `headers` with `command` in them; a trace context that another interceptor wrote stays."""
    attributes = {name: value for name, value in asdict(command).items() if value is not None}
    written = {**headers, COMMAND_HEADER: _payload(attributes)}
    trace = {name: attributes[name] for name in _TRACE_ATTRIBUTES if name in attributes}
    if trace and TRACE_HEADER not in headers:
        written[TRACE_HEADER] = _payload(trace)
    return written


def _payload(value: Mapping[str, str]) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def _json_object(payload: Payload | None) -> dict[str, Any]:
    if payload is None:
        return {}
    try:
        value = json.loads(payload.data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}

"""Why a run ended as it did, and with what result, as its close event tells."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import jiter
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure as TemporalFailure
from temporalio.api.history.v1 import HistoryEvent

from topics.lifecycle import Failure

FAILURE_CHARACTERS_MAX = 1000
CAUSES_MAX = 20
RESULT_BYTES_MAX = 64 * 1024

RESETTER = "history-resetter"  # how the server signs the end of a run that a reset replaces

_NAMES: Mapping[str, str] = MappingProxyType({"canceled": "cancelled"})


def failure(event: HistoryEvent) -> Failure | None:
    """Return why a run failed, timed out or was terminated; None for the other ends."""
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
        return deepest(event.workflow_execution_failed_event_attributes.failure)
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
        return Failure(type="timeout", message="the timeout of the run, or of its chain, has passed")
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
        reason = event.workflow_execution_terminated_event_attributes.reason
        return Failure(type="terminated", message=reason[:FAILURE_CHARACTERS_MAX])
    return None


def deepest(failed: TemporalFailure) -> Failure:
    """Return the deepest cause that says something: what wraps it tells only that an activity or a child failed."""
    found = [cause for cause in _causes(failed) if cause.message or cause.application_failure_info.type]
    cause = found[-1] if found else failed
    kind = (cause.WhichOneof("failure_info") or "").removesuffix("_failure_info")
    name = cause.application_failure_info.type if kind == "application" else _NAMES.get(kind, kind)
    return Failure(type=name or "failure", message=cause.message[:FAILURE_CHARACTERS_MAX])


def _causes(failed: TemporalFailure) -> Iterator[TemporalFailure]:
    cause = failed
    for _ in range(CAUSES_MAX):
        yield cause
        if not cause.HasField("cause"):
            return
        cause = cause.cause


def result(event: HistoryEvent) -> bytes | None:
    """Return the JSON text that a run returned; None where it returned none, or other than plain JSON up to 64 KiB."""
    returned: Payloads = event.workflow_execution_completed_event_attributes.result
    if len(returned.payloads) != 1:
        return None
    payload = returned.payloads[0]
    if payload.metadata.get("encoding") != b"json/plain" or len(payload.data) > RESULT_BYTES_MAX:
        return None
    try:
        jiter.from_json(payload.data, allow_inf_nan=False)
    except ValueError:
        return None
    return payload.data

"""What a close event tells where a codec has encrypted it: the same event, in clear."""

from typing import Any

import jiter
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

from bridge.feed.reason import CAUSES_MAX
from bridge.sealing import Sealing


def opened(event: HistoryEvent, sealing: Sealing) -> HistoryEvent:
    """Return the event with its result and its failure's messages in clear; what cannot be opened stays as it is."""
    clear = HistoryEvent()
    clear.CopyFrom(event)
    if clear.HasField("workflow_execution_completed_event_attributes"):
        for payload in clear.workflow_execution_completed_event_attributes.result.payloads:
            payload.CopyFrom(sealing.opened(payload) or payload)
    elif clear.HasField("workflow_execution_failed_event_attributes"):
        _open_messages(clear.workflow_execution_failed_event_attributes.failure, sealing)
    return clear


def _open_messages(failed: Failure, sealing: Sealing) -> None:
    """Put the messages in clear into a failure and its causes: an SDK puts them into a payload where it is told so."""
    cause = failed
    for _ in range(CAUSES_MAX):
        if cause.HasField("encoded_attributes"):
            payload = sealing.opened(cause.encoded_attributes)
            message = _object(payload.data if payload is not None else b"").get("message")
            cause.message = message if isinstance(message, str) else cause.message
        if not cause.HasField("cause"):
            return
        cause = cause.cause


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = jiter.from_json(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

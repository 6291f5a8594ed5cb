"""What the contract says of every outcome, recomputed from its text."""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from tests.acceptance.journal import Record
from tests.acceptance.producer import Sent

GROUP = "acceptance"
NAMESPACE = "default"
QUEUES = {"invoice": "finance", "campaign": "campaigns", "lead": "leads"}
WORKFLOWS = {"invoice": "InvoiceProcessing", "campaign": "CampaignCreation", "lead": "LeadScoring"}
ENDS = (
    "workflow.completed",
    "workflow.failed",
    "workflow.cancelled",
    "workflow.terminated",
    "workflow.timed_out",
    "workflow.continued_as_new",
)

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


def event_id(kind: str, *parts: object) -> str:
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "kafka-temporal-bridge/" + kind)
    return str(uuid.uuid5(namespace, "\x1f".join(str(part) for part in parts)))


def time_text(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def check_envelope(record: Record, cause: Sent, *, source: str, key: str, subject: str | None) -> None:
    """Hold attributes, extensions, key and trace of an event against the command that led to it."""
    extensions = cause.command.extensions if cause.source.startswith("/acceptance") else {}
    expected = {
        "specversion": "1.0",
        "source": source,
        "subject": subject,
        "partitionkey": key,
        "causationid": cause.id,
        "correlationid": extensions.get("correlationid", cause.id),
        "tracestate": cause.command.extensions.get("tracestate"),
    }
    assert {name: record.attributes.get(name) for name in expected} == expected
    assert record.key == key.encode()
    assert record.header("content-type") == "application/json"
    assert TIME.fullmatch(record.attributes["time"])
    check_trace(record, cause)


def check_trace(record: Record, cause: Sent) -> None:
    """The event is a span of its own in the command's trace, told by plain headers and attributes alike."""
    assert record.header("traceparent") == record.attributes["traceparent"]
    found = TRACEPARENT.fullmatch(record.attributes["traceparent"])
    assert found
    sent = TRACEPARENT.fullmatch(cause.command.extensions.get("traceparent", ""))
    if sent:
        assert found[1] == sent[1]
        assert found[2] != sent[2]
    if "tracestate" in cause.command.extensions:
        assert record.header("tracestate") == cause.command.extensions["tracestate"]


def check_reply(
    record: Record, sent: Sent, outcome: str, *, run_id: str | None = None, reason: str | None = None
) -> None:
    """Hold a reply against the record that it answers."""
    workflow_id = sent.command.workflow_id
    assert record.topic == "bridge.replies"
    assert record.type == f"command.{outcome}"
    assert record.id == event_id("reply", sent.source, sent.id, outcome, *sent.place)
    assert record.attributes["time"] == time_text(sent.timestamp_ms)
    check_envelope(record, sent, source=f"/bridge/{GROUP}", key=sent.id, subject=workflow_id)
    expected = {
        "command_id": sent.id,
        "command_source": sent.source,
        "command_type": sent.command.type,
        "topic": sent.topic,
        "partition": sent.partition,
        "offset": sent.offset,
        "time": time_text(sent.timestamp_ms),
        "outcome": outcome,
        "workflow_id": workflow_id,
        "run_id": run_id,
        "reason": reason,
    }
    assert {name: record.data[name] for name in expected} == expected
    assert (record.data["detail"] is None) == (reason is None)


def check_started(record: Record, sent: Sent, run_id: str) -> None:
    """Hold `workflow.started` against the command that began the run."""
    assert record.attributes["time"] == time_text(sent.timestamp_ms)
    _check_lifecycle(record, sent, run_id, "started")


def check_ended(record: Record, sent: Sent, run_id: str, state: str, failure: Any = None) -> None:
    """Hold the end of a run that nothing continues against the command that began it."""
    _check_lifecycle(record, sent, run_id, state)
    data = record.data
    assert record.attributes["time"] == data["closed_at"]
    assert TIME.fullmatch(data["started_at"])
    began, closed = (datetime.fromisoformat(data[name]) for name in ("started_at", "closed_at"))
    assert data["duration_ms"] == round((closed - began).total_seconds() * 1000) >= 0
    assert (data["new_run_id"], data["failure"]) == (None, failure)


def _check_lifecycle(record: Record, sent: Sent, run_id: str, state: str) -> None:
    workflow_id = sent.command.workflow_id
    domain = sent.command.type.partition(".")[0]
    assert record.topic == f"{domain}.lifecycle"
    assert record.type == f"workflow.{state}"
    assert record.id == event_id("lifecycle", NAMESPACE, workflow_id, run_id, state)
    check_envelope(record, sent, source=f"/bridge/{GROUP}", key=workflow_id, subject=workflow_id)
    expected = {
        "workflow_id": workflow_id,
        "run_id": run_id,
        "first_run_id": run_id,
        "workflow_type": WORKFLOWS[domain],
        "namespace": NAMESPACE,
        "task_queue": QUEUES[domain],
        "state": state,
        "command_id": sent.id,
        "command_source": sent.source,
        "command_type": sent.command.type,
        "attempt": 1,
    }
    assert {name: record.data[name] for name in expected} == expected


def check_domain(record: Record, cause: Sent, run_id: str, ids: set[str], **data: Any) -> None:
    """Hold a domain event against the command that led to it; `ids` are those that the run's activities can give."""
    domain = cause.command.type.partition(".")[0]
    business_id = cause.command.key
    assert record.topic == f"{domain}.events"
    assert record.id in ids
    check_envelope(record, cause, source=f"/workers/{QUEUES[domain]}", key=business_id, subject=business_id)
    expected = {f"{domain}_id": business_id, "workflow_id": cause.command.workflow_id, "run_id": run_id, **data}
    assert {name: record.data[name] for name in expected} == expected

"""Make a command of a record, or say why it is none. Pure: the bytes and the tables decide."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge import tracecontext
from bridge.command import REPLAYS_HEADER, REPLY_WHEN, BadRecord, Command, Identity, Record, Skipped
from bridge.intake import envelope
from bridge.intake.attributes import check, has_control
from bridge.intake.envelope import Envelope, RefusedError
from bridge.routes import Route, Routes
from topics import ids
from topics.replies import DeadLetterReason, ReplyOutcome

WORKFLOW_ID_CHARACTERS_MAX = 255  # visibility's column in SQL
DETAIL_CHARACTERS_MAX = 2000


@dataclass(frozen=True, slots=True)
class Decoder:
    """What decides about records: the routes, where unroutable types are passed over, and allowed reply topics."""

    routes: Routes
    skip_unroutable: Collection[str] = field(default_factory=frozenset)
    reply_topics: Collection[str] = field(default_factory=frozenset)

    def decode(self, record: Record) -> Command | BadRecord | Skipped:
        """Return what the record is; never raises for what it holds."""
        try:
            event = envelope.read(record, timestamp_id)
        except RefusedError as refused:
            return self._bad(record, refused, refused.attributes)
        try:
            return self._command(record, event)
        except RefusedError as refused:
            return self._bad(record, refused, event.attributes)

    def _command(self, record: Record, event: Envelope) -> Command | Skipped:
        attributes = event.attributes
        route = self.routes.find(record.topic, attributes["type"])
        if route is None:
            if record.topic in self.skip_unroutable:
                return Skipped(record)
            raise RefusedError(DeadLetterReason.UNROUTABLE, "type: no route of this topic has it")
        reply_to = attributes.get("replyto")
        if not self._may_name(reply_to):
            raise RefusedError(DeadLetterReason.FORBIDDEN, "replyto: is not among BRIDGE_REPLY_TOPICS")
        if not isinstance(event.data, dict):
            raise RefusedError(DeadLetterReason.INVALID, "data: must be a JSON object")
        workflow_id = _checked(route, event.data, attributes.get(REPLY_WHEN))
        headers = event.headers
        traceparent, tracestate = tracecontext.incoming(
            headers.get("traceparent"), headers.get("tracestate"), attributes
        )
        identity = Identity(attributes["source"], attributes["id"], attributes["type"])
        request_id = ids.text("request", identity.source, identity.id)
        return Command(
            record=record,
            identity=identity,
            request_id=request_id,
            route=route,
            workflow_id=workflow_id,
            data=event.data_text,
            attributes=attributes,
            traceparent=traceparent or tracecontext.begun(request_id),
            tracestate=tracestate,
            reply_to=reply_to,
            replayed=REPLAYS_HEADER in headers,
        )

    def _may_name(self, reply_to: str | None) -> bool:
        return reply_to is None or reply_to in self.reply_topics

    def _bad(self, record: Record, refused: RefusedError, attributes: Mapping[str, str]) -> BadRecord:
        faulty = {problem.partition(":")[0] for problem in check(attributes)}
        sound = {name: attributes[name] for name in attributes.keys() - faulty}
        identity = None
        if "id" in sound:  # the reply needs no more than it
            identity = Identity(sound.get("source", ""), sound["id"], sound.get("type", ""))
        traceparent, tracestate = tracecontext.incoming(
            record.header("traceparent"), record.header("tracestate"), attributes
        )
        reply_to = attributes.get("replyto")
        may_name = self._may_name(reply_to)
        return BadRecord(
            record=record,
            reason=refused.reason,
            detail=refused.detail[:DETAIL_CHARACTERS_MAX],
            identity=identity,
            correlation_id=sound.get("correlationid"),
            traceparent=traceparent,
            tracestate=tracestate,
            reply_to=reply_to if may_name else None,
            is_answered=may_name,
            route=self.routes.find(record.topic, sound.get("type", "")),
        )


def timestamp_id(record: Record) -> str:
    """Return the id that a record of bare JSON gets."""
    return f"{record.topic}/{record.partition}/{record.offset}@{record.timestamp_ms}"


def _checked(route: Route, data: dict[str, Any], reply_when: str | None) -> str:
    problems = route.checker.problems(data) if route.checker is not None else []
    if reply_when is not None and reply_when != ReplyOutcome.DONE:
        problems = [*problems, f"{REPLY_WHEN}: must be {ReplyOutcome.DONE.value}, or left out"]
    workflow_id = ""
    if not problems:
        try:
            workflow_id = route.id_template.fill(data)
        except ValueError as error:
            problems = [str(error)]
    if len(workflow_id) > WORKFLOW_ID_CHARACTERS_MAX:
        problems = [f"the workflow id would be longer than {WORKFLOW_ID_CHARACTERS_MAX} characters"]
    if has_control(workflow_id):
        problems = ["the workflow id would have control characters"]
    if problems:
        raise RefusedError(DeadLetterReason.INVALID, "; ".join(problems))
    return workflow_id

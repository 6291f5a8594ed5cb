import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jsonschema
import pytest

from bridge.cli.contract import asyncapi, schemas
from bridge.cli.contract.outcomes import OUTCOMES
from bridge.deadletter import record as letter
from bridge.mark import Mark
from bridge.outcome import Accepted, DeadLettered, Duplicate, Settled
from bridge.outcomes import lifecycle, replies
from bridge.outcomes.event import OutRecord
from bridge.outcomes.lifecycle import End, RunFacts
from tests.cli.command_line import CommandLine
from tests.engine import records
from topics import tables
from topics.lifecycle import Failure, State
from topics.replies import DeadLetterReason, ReplyOutcome
from topics.spec import TopicKind

CANCEL = {"invoice_id": "I-1", "reason": "late"}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def resolved(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_the_schema_of_a_type_is_printed(alone: CommandLine) -> None:
    ended = alone.here("export", "jsonschema", "invoice.cancel")
    schema = json.loads(ended.out)
    assert (ended.code, schema["$schema"]) == (0, "https://json-schema.org/draft/2020-12/schema")
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(CANCEL)
    assert not validator.is_valid(CANCEL | {"invoice_id": "a b"})


def test_an_unknown_type_is_refused(alone: CommandLine) -> None:
    ended = alone.here("export", "jsonschema", "invoice.cancle")
    assert (ended.code, ended.out) == (2, "")
    assert "invoice.cancle is not a type of ours; known are invoice.cancel" in ended.err


@pytest.mark.parametrize("name", schemas.models())
def test_every_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.one(name))


def test_the_document_of_all_schemas_defines_every_type(alone: CommandLine) -> None:
    document = json.loads(alone.here("export", "jsonschema").out)
    jsonschema.Draft202012Validator.check_schema(document)
    assert set(schemas.models()) <= set(document["$defs"])
    validator = jsonschema.Draft202012Validator({**document, "$ref": "#/$defs/invoice.cancel"})
    assert validator.is_valid(CANCEL)
    assert not validator.is_valid({})


def test_every_topic_is_a_channel(alone: CommandLine) -> None:
    document = json.loads(alone.here("export", "asyncapi").out)
    assert document["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in document["channels"].values()} == {topic.name for topic in tables.TOPICS}


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi.document("1.0.0")
    assert [reference for reference in references(document) if resolved(document, reference) is None] == []


def test_operations_name_messages_of_their_channel_and_are_the_daemons() -> None:
    document = asyncapi.document("1.0.0")
    kinds = {topic.name: topic.kind for topic in tables.TOPICS}
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"]
        assert operation["messages"] != []
        assert [each for each in operation["messages"] if not each["$ref"].startswith(f"{channel}/messages/")] == []
        commands = kinds[channel.removeprefix("#/channels/")] is TopicKind.COMMANDS
        assert operation["action"] == ("receive" if commands else "send")
        assert ("reply" in operation) == commands


def test_every_message_has_payload_headers_and_key() -> None:
    document = asyncapi.document("1.0.0")
    messages = document["components"]["messages"]
    assert set(messages) == {*schemas.models(), schemas.DEAD_LETTER}
    for message in messages.values():
        assert {"name", "summary", "headers", "payload", "bindings"} <= set(message)
        jsonschema.Draft202012Validator.check_schema(message["headers"])
        assert "key" in message["bindings"]["kafka"]


@pytest.mark.parametrize(
    ("name", "key"),
    [("campaign.cancel", "campaign_id"), ("lead.scored", "lead_id"), ("workflow.failed", "workflow_id")],
)
def test_a_message_says_what_it_is_keyed_by(name: str, key: str) -> None:
    message = asyncapi.document("1.0.0")["components"]["messages"][name]
    assert message["bindings"]["kafka"]["key"]["description"] == key


def test_a_channel_has_the_settings_of_its_topic() -> None:
    kafka = asyncapi.document("1.0.0")["channels"]["invoice.process"]["bindings"]["kafka"]
    assert kafka == {
        "topic": "invoice.process",
        "partitions": 6,
        "topicConfiguration": {
            "cleanup.policy": ["delete"],
            "retention.ms": 604_800_000,
            "max.message.bytes": 1_114_112,
        },
        "bindingVersion": "0.5.0",
    }


MARK = Mark(
    command="c-1",
    source="/shop",
    type="lead.score",
    topic="lead.score",
    partition=0,
    offset=1,
    time="2026-11-21T10:00:00.123Z",
    group="g",
    correlationid="c-1",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    route="lead.score",
)
RUN = RunFacts("default", "lead-L-1", "r-1", "r-1", "LeadScoring", "leads")


def written_of_a_run(state: State) -> OutRecord:
    if state is State.STARTED:
        return lifecycle.started(MARK, RUN, "lead.lifecycle")
    failure = Failure(type="FlatTyre", message="flat") if state is State.FAILED else None
    next_run = "r-2" if state is State.CONTINUED_AS_NEW else None
    end = End(state=state, started_ms=1, closed_ms=2, new_run_id=next_run, failure=failure)
    return lifecycle.ended(MARK, RUN, end, "lead.lifecycle")


def written_of_a_command(outcome: ReplyOutcome) -> OutRecord:
    settled: dict[ReplyOutcome, Settled] = {
        ReplyOutcome.ACCEPTED: Accepted("r", began=True),
        ReplyOutcome.DUPLICATE: Duplicate("r"),
        ReplyOutcome.REJECTED: DeadLettered(DeadLetterReason.INVALID, "by: is missing"),
    }
    written = replies.reply(records.command(records.record(headers=records.binary())), settled[outcome], "g")
    assert written is not None
    return written


DONE = replies.done(MARK, RUN, End(state=State.COMPLETED, started_ms=1, closed_ms=2, result=b'{"score": 12.50}'), "r")
WRITTEN = {
    **{state.event_type: written_of_a_run(state) for state in State},
    ReplyOutcome.DONE.event_type: DONE,
    **{
        outcome.event_type: written_of_a_command(outcome)
        for outcome in ReplyOutcome
        if outcome is not ReplyOutcome.DONE
    },
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_the_daemon_writes_is_what_the_schema_of_its_type_alone_says(name: str) -> None:
    data = json.loads(WRITTEN[name].value or b"")
    takes = {each for each in WRITTEN if jsonschema.Draft202012Validator(schemas.one(each)).is_valid(data)}
    assert takes == {name}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_headers_that_the_daemon_writes_are_those_of_the_message(name: str) -> None:
    message = asyncapi.document("1.0.0")["components"]["messages"][name]
    headers = {key: (value or b"").decode() for key, value in WRITTEN[name].headers}
    jsonschema.validate(headers, message["headers"])


def test_the_headers_of_a_dead_letter_are_those_of_its_schema() -> None:
    dead = letter.dead_letter(
        records.record(), DeadLetterReason.INVALID, "d", group="g", attempts=1, failed_at=datetime.now(UTC)
    )
    headers = {key: (value or b"").decode() for key, value in dead.headers}
    validator = jsonschema.Draft202012Validator(schemas.one(schemas.DEAD_LETTER))
    assert validator.is_valid(headers)
    assert not validator.is_valid(headers | {"dlq.reason": "no reason of ours"})


def test_every_outcome_says_what_it_tells() -> None:
    assert set(OUTCOMES) == set(schemas.models()) - set(tables.COMMANDS)
    assert [name for name, outcome in OUTCOMES.items() if not outcome.summary] == []


def test_the_schema_of_a_dead_letter_is_printed(alone: CommandLine) -> None:
    assert json.loads(alone.here("export", "jsonschema", "dead_letter").out)["properties"]["dlq.reason"]["enum"] == [
        reason.value for reason in DeadLetterReason
    ]


def test_every_topic_that_may_take_replies_is_a_channel(alone: CommandLine) -> None:
    ended = alone.here("export", "asyncapi", BRIDGE_REPLY_TOPICS="bridge.replies,shop.answers")
    channels = json.loads(ended.out)["channels"]
    assert set(channels["shop.answers"]["messages"]) == set(tables.REPLY_MODELS)

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from bridge.cli.contract import asyncapi, schemas
from tests.cli.command_line import CommandLine
from topics import tables
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
    ended = alone.run("export", "jsonschema", "invoice.cancel")
    schema = json.loads(ended.out)
    assert (ended.code, schema["$schema"]) == (0, "https://json-schema.org/draft/2020-12/schema")
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(CANCEL)
    assert not validator.is_valid(CANCEL | {"invoice_id": "a b"})


def test_an_unknown_type_is_refused(alone: CommandLine) -> None:
    ended = alone.run("export", "jsonschema", "invoice.cancle")
    assert (ended.code, ended.out) == (2, "")
    assert "invoice.cancle is not a type of ours; known are invoice.cancel" in ended.err


@pytest.mark.parametrize("name", schemas.models())
def test_every_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.one(name))


def test_the_document_of_all_schemas_defines_every_type(alone: CommandLine) -> None:
    document = json.loads(alone.run("export", "jsonschema").out)
    jsonschema.Draft202012Validator.check_schema(document)
    assert set(schemas.models()) <= set(document["$defs"])
    validator = jsonschema.Draft202012Validator({**document, "$ref": "#/$defs/invoice.cancel"})
    assert validator.is_valid(CANCEL)
    assert not validator.is_valid({})


def test_every_topic_is_a_channel(alone: CommandLine) -> None:
    document = json.loads(alone.run("export", "asyncapi").out)
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
    assert set(messages) == {*schemas.models(), asyncapi.DEAD_LETTER}
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

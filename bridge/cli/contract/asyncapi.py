"""The contract as AsyncAPI 3.0.0, from the daemon's side: it receives commands and sends outcomes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.cli.contract import added, headers, schemas
from bridge.cli.contract.outcomes import OUTCOMES
from bridge.cli.contract.schemas import DEAD_LETTER
from bridge.routes import Route
from topics import spec, tables
from topics.spec import Domain, Topic, TopicKind

ASYNCAPI = "3.0.0"
KAFKA_BINDING = "0.5.0"
JSON = "application/json"
WORKFLOW_ID = "workflow_id"
COMMAND_ID = "command id"
LETTER_KEY = "the key that the record came with"

Document = dict[str, Any]

_CONFIG: Mapping[str, Callable[[str], Any]] = {
    "cleanup.policy": lambda text: [text],
    "retention.ms": int,
    "max.message.bytes": int,
}
"""The settings that the binding knows, and how it writes them."""


@dataclass(frozen=True, slots=True)
class _Channel:
    """A topic, the types that it carries, and what its records are keyed by."""

    topic: Topic
    types: tuple[str, ...]
    key: str


def document(
    version: str, rows: Sequence[Route] = (), reply_topics: Sequence[str] = (tables.REPLIES_TOPIC,)
) -> Document:
    """Return the document; `version` is the distribution's, `rows` are routes that are none of ours."""
    references, definitions = schemas.all_of_them("#/components/schemas/{model}")
    channels = tuple(_with_added({channel.topic.name: channel for channel in _channels(reply_topics)}, rows))
    keys = {name: channel.key for channel in channels for name in channel.types}
    messages = {name: _message(name, reference, keys[name]) for name, reference in references.items()}
    messages |= {added.key(row.command): _added_message(row) for row in rows}
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "kafka-temporal-bridge",
            "version": version,
            "description": "Commands start, signal and cancel Temporal workflows; every outcome is a CloudEvent.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": JSON,
        "channels": {channel.topic.name: _channel(channel) for channel in channels},
        "operations": {f"{_action(channel)}.{channel.topic.name}": _operation(channel) for channel in channels},
        "components": {"messages": {**messages, DEAD_LETTER: _dead_letter()}, "schemas": definitions},
    }


def _channels(reply_topics: Iterable[str]) -> Iterator[_Channel]:
    for domain in tables.DOMAINS:
        for topic in tables.domain_topics(domain):
            yield _Channel(topic, _types(domain, topic), _key(domain, topic))
    for name in dict.fromkeys((tables.REPLIES_TOPIC, *reply_topics)):
        yield _Channel(spec.reply_topic(name), tuple(tables.REPLY_MODELS), COMMAND_ID)


def _with_added(channels: dict[str, _Channel], rows: Iterable[Route]) -> Iterable[_Channel]:
    for row in rows:
        name = added.key(row.command)
        new = _Channel(spec.command_topic(row.topic), (), ", ".join(row.id_template.fields) or "nothing")
        old = channels.get(row.topic, new)
        channels[row.topic] = replace(old, types=tuple(dict.fromkeys((*old.types, name))))
        letters = spec.dead_letter_topic(row.topic)
        channels.setdefault(letters.name, _Channel(letters, (DEAD_LETTER,), LETTER_KEY))
        if row.lifecycle and row.starts:
            topic = spec.lifecycle_topic(row.lifecycle)
            channels.setdefault(topic.name, _Channel(topic, tuple(tables.LIFECYCLE_MODELS), WORKFLOW_ID))
    return channels.values()


def _types(domain: Domain, topic: Topic) -> tuple[str, ...]:
    match topic.kind:
        case TopicKind.COMMANDS:
            return (topic.name,)
        case TopicKind.EVENTS:
            return tuple(event.name for event in domain.events if event.topic == topic.name)
        case TopicKind.LIFECYCLE:
            return tuple(tables.LIFECYCLE_MODELS)
        case _:
            return (DEAD_LETTER,)


def _key(domain: Domain, topic: Topic) -> str:
    match topic.kind:
        case TopicKind.LIFECYCLE:
            return WORKFLOW_ID
        case TopicKind.DEAD_LETTERS:
            return LETTER_KEY
        case _:
            return domain.commands[0].key


def _channel(channel: _Channel) -> Document:
    topic = channel.topic
    return {
        "address": topic.name,
        "description": f"{topic.kind.value.capitalize()}, keyed by {channel.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.types},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    name: read(topic.config[name]) for name, read in _CONFIG.items() if name in topic.config
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _action(channel: _Channel) -> str:
    return "receive" if channel.topic.kind is TopicKind.COMMANDS else "send"


def _operation(channel: _Channel) -> Document:
    name = channel.topic.name
    operation = {
        "action": _action(channel),
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{type_}"} for type_ in channel.types],
    }
    if channel.topic.kind is TopicKind.COMMANDS:
        # Without an address the reply channel's own is meant, with one the command says where (BRIDGE_REPLY_TOPICS).
        operation["reply"] = {"channel": {"$ref": f"#/channels/{tables.REPLIES_TOPIC}"}}
    return operation


def _message(name: str, reference: Document, key: str) -> Document:
    is_command = name in tables.COMMANDS
    model, _ = schemas.models()[name]
    outcome = OUTCOMES.get(name)
    summary = outcome.summary if outcome is not None else " ".join((model.__doc__ or "").split())
    return _event(name, summary, headers.command(name) if is_command else headers.outcome(name), reference, key)


def _added_message(row: Route) -> Document:
    key = ", ".join(row.id_template.fields) or "nothing"
    return _event(row.command, added.summary(row), headers.command(row.command), added.schema(row), key)


def _event(name: str, summary: str, its_headers: Document, payload: Document, key: str) -> Document:
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": JSON,
        "headers": its_headers,
        "payload": payload,
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {"kafka": _kafka(key)},
    }


def _dead_letter() -> Document:
    return {
        "name": DEAD_LETTER,
        "title": "Dead letter",
        "summary": "A record that could not be acted on: its own value and headers, and why.",
        "headers": headers.dead_letter(),
        "payload": True,
        "bindings": {"kafka": {"key": {"type": ["string", "null"]}, "bindingVersion": KAFKA_BINDING}},
    }


def _kafka(key: str) -> Document:
    return {"key": {"type": "string", "description": key}, "bindingVersion": KAFKA_BINDING}

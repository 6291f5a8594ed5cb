"""Render what the docs say of the tables: `python -m tests.docs.render` writes it, a test holds it to be so.

A page keeps its prose; between `<!-- begin NAME -->` and `<!-- end NAME -->` stands what the table NAME renders.
"""

import re
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cyclopts
from pydantic import BaseModel

from bridge import cli, routes, settings
from bridge.admin import api
from bridge.admin.management import Management
from bridge.cli.contract.outcomes import OUTCOMES
from bridge.routes import Verb
from bridge.telemetry import alerts, shapes
from bridge.telemetry.health import Health
from bridge.telemetry.instruments import INSTRUMENTS
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Attribute, Log
from tests.docs import words
from topics import spec, tables
from topics.environment import reader
from topics.environment.sections import BridgeSection, KafkaSection, Section, WorkersSection
from topics.replies import DeadLetterReason, RejectReason

ROOT = Path(__file__).resolve().parents[2]
SECTIONS: tuple[type[Section], ...] = (KafkaSection, BridgeSection, WorkersSection)
GROUP = "{group}"

_BLOCK = re.compile(r"(?<=<!-- begin )([a-z-]+)( -->\n).*?(?=<!-- end \1 -->)", re.DOTALL)

_VERBS: Mapping[Verb, str] = MappingProxyType(
    {
        Verb.START: "starts",
        Verb.SIGNAL: "signals",
        Verb.SIGNAL_WITH_START: "signals, or starts with the signal,",
        Verb.UPDATE: "updates",
        Verb.CANCEL: "cancels",
        Verb.TERMINATE: "terminates",
    }
)


def pages() -> tuple[Path, ...]:
    """Return every page of the project that people read."""
    return (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("compose/**/*.md")))


def rendered(text: str) -> str:
    """Return a page with its blocks as the tables are now."""
    return _BLOCK.sub(lambda block: block[1] + block[2] + "\n".join(BLOCKS[block[1]]()) + "\n", text)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    names = tuple(heads)
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def commands() -> Iterator[str]:
    """Yield the table of commands: what each does, by topic."""
    return table(
        ("topic and type", "key", "what it does"),
        (
            (
                f"`{command.name}`",
                f"`{command.key}`",
                _what(routes.table([domain.name]).find(command.name, command.name)),
            )
            for domain in tables.DOMAINS
            for command in domain.commands
        ),
    )


def _what(route: routes.Route | None) -> str:
    if route is None:
        return "nothing: it has no route"
    workflow = f" `{route.workflow}` on the task queue `{route.task_queue}`" if route.workflow else " the run"
    signal = f", signal `{route.signal}`" if route.signal else ""
    return f"{_VERBS[route.verb]}{workflow}, workflow id `{route.id}`{signal}"


def outcomes() -> Iterator[str]:
    """Yield the table of what comes out."""
    rows: list[tuple[str, str, str]] = []
    for domain in tables.DOMAINS:
        names = ", ".join(f"`{event.name}`" for event in domain.events)
        rows.append((f"`{domain.events[0].topic}`", f"`{domain.events[0].key}`", names))
    lifecycle = ", ".join(f"`{domain.name}{spec.LIFECYCLE_SUFFIX}`" for domain in tables.DOMAINS)
    rows.append((lifecycle, "workflow id", ", ".join(f"`{name}`" for name in tables.LIFECYCLE_MODELS)))
    replies = ", ".join(f"`{name}`" for name in tables.REPLY_MODELS)
    rows.append((f"`{tables.REPLIES_TOPIC}`, or the command's `replyto`", "command id", replies))
    rows.append(
        (f"command topic + `{spec.DEAD_LETTER_SUFFIX}`", "as it came", "the record as it came, with `dlq.*` headers")
    )
    return table(("topic", "key", "what"), rows)


def lifecycle() -> Iterator[str]:
    """Yield the table of what each lifecycle event tells."""
    return table(
        ("event", "what it tells"), ((f"`{name}`", OUTCOMES[name].summary) for name in tables.LIFECYCLE_MODELS)
    )


def topics() -> Iterator[str]:
    """Yield the table of every topic as `bridge setup apply` makes it."""
    return table(
        ("topic", "kind", "partitions", "settings"),
        (
            (f"`{topic.name}`", topic.kind.value, str(topic.partitions), _settings(topic))
            for topic in (*tables.TOPICS, spec.feed_topic(GROUP), spec.handled_topic(GROUP), spec.paused_topic(GROUP))
        ),
    )


def _settings(topic: spec.Topic) -> str:
    return "<br>".join(f"`{name}={value}`" for name, value in topic.config.items())


def data() -> Iterator[str]:
    """Yield the table of what each command's and event's data hold."""
    models: list[tuple[str, type[BaseModel]]] = [(name, command.model) for name, command in tables.COMMANDS.items()]
    models += [(name, event.model) for name, event in tables.EVENTS.items()]
    models += list(tables.LIFECYCLE_MODELS.items())
    models += list(tables.REPLY_MODELS.items())
    return table(("type", "data", ""), ((f"`{name}`", fields(model), _first_line(model)) for name, model in models))


def fields(model: type[BaseModel]) -> str:
    """Return the fields of a model, those of its parts in braces; what may be left out in brackets."""
    return ", ".join(_field(name, field.annotation, field.is_required()) for name, field in model.model_fields.items())


def _field(name: str, annotation: Any, required: bool) -> str:
    inner = next((part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)), None)
    text = f"`{name}`" + (f" {{{fields(inner)}}}" if inner is not None else "")
    return text if required else f"[{text}]"


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in typing.get_args(annotation):
        yield from _parts(argument)


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").split("\n", 1)[0]


def environment() -> Iterator[str]:
    """Yield the table of every variable of ours."""
    return table(
        ("variable", "default", ""),
        (
            (f"`{variable}`{_secret(section, name)}", _default(section, name), words.VARIABLES[variable])
            for section in SECTIONS
            for name in section.model_fields
            for variable in (reader.variable_name(section, name),)
        ),
    )


def _secret(section: type[Section], name: str) -> str:
    return " (secret)" if "SecretStr" in str(section.model_fields[name].annotation) else ""


def _default(section: type[Section], name: str) -> str:
    # The defaults hold no secret, so they are shown as they are.
    value = section.model_fields[name].default
    value = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    text = reader.show(name, value)
    return f"`{text}`" if text else ""


def metrics() -> Iterator[str]:
    """Yield the table of metrics."""
    return table(
        ("Prometheus", "OTLP", "labels", ""),
        (
            (f"`{metric}`", f"`{it.name}`", ", ".join(f"`{label}`" for label in it.labels), it.help)
            for metric, it in INSTRUMENTS.items()
        ),
    )


def spans() -> Iterator[str]:
    """Yield the table of the bridge's own spans."""
    rows = [
        (
            "`process TOPIC`",
            "consumer",
            "A record, from the first try to its answer. The parent is the producer's span.",
        )
    ]
    for verb, (name, method) in shapes.OPERATIONS.items():
        what = f"`{name}:NAME`" if verb not in (Verb.CANCEL, Verb.TERMINATE) else f"`{name}`"
        rows.append((what, "client", f"A try of `{verb}` with Temporal (`{method}`), below the record's."))
    return table(("span", "kind", ""), rows)


def attributes() -> Iterator[str]:
    """Yield the table of the attributes of spans and metrics."""
    return table(("attribute", ""), ((f"`{attribute}`", words.ATTRIBUTES[attribute]) for attribute in Attribute))


def alert_rules() -> Iterator[str]:
    """Yield the table of the alert rules with what to do."""
    return table(
        ("alert", "when", "what to do"),
        ((f"`{it.name}`", f"{_plain(it.summary)} ({it.severity})", it.advice) for it in alerts.ALERTS),
    )


def _plain(summary: str) -> str:
    return re.sub(r"{{ \$labels\.(\w+) }}", r"*\1*", summary)


def log_events() -> Iterator[str]:
    """Yield the table of log events."""
    return table(("event", ""), ((f"`{event}`", words.LOG_EVENTS[event]) for event in Log))


def reasons() -> Iterator[str]:
    """Yield the reasons of rejections and dead letters."""
    return table(
        ("reason", "dead-lettered"),
        (*((f"`{reason}`", "no") for reason in RejectReason), *((f"`{reason}`", "yes") for reason in DeadLetterReason)),
    )


def command_line() -> Iterator[str]:
    """Yield the commands of `bridge` with what they take."""
    app = cli.application([name for name, _, _ in cli.COMMANDS])
    found = (command for name, _, _ in cli.COMMANDS for command in _commands(app[name], f"bridge {name}"))
    return table(("command", "takes", ""), found)


def _commands(app: cyclopts.App, words: str) -> Iterator[tuple[str, str, str]]:
    names = [name for name in app if not name.startswith("-")]
    for name in names:
        yield from _commands(app[name], f"{words} {name}")
    if not names:
        taken = (_argument(argument) for argument in app.assemble_argument_collection())
        yield f"`{words}`", ", ".join(f"`{text}`" for text in taken), app.help.split("\n", 1)[0]


def _argument(argument: cyclopts.Argument) -> str:
    if argument.index is not None:
        return argument.name.removeprefix("--").upper()
    names = argument.names
    negatives = {f"--no-{name.removeprefix('--')}" for name in names}  # none of ours has one
    return " ".join(name for name in names if name not in negatives)


def admin() -> Iterator[str]:
    """Yield the table of the management API."""
    rows = api.operations(Management(settings.load({}), Health()), Metrics())
    return table(
        ("", "", "takes"),
        (
            (
                f"`{row.method} {row.openapi_path}`",
                row.summary,
                ", ".join(f"`{name}`" for name in (*row.query, *row.body)),
            )
            for row in rows
        ),
    )


BLOCKS: Mapping[str, Callable[[], Iterator[str]]] = MappingProxyType(
    {
        "commands": commands,
        "outcomes": outcomes,
        "lifecycle": lifecycle,
        "topics": topics,
        "data": data,
        "environment": environment,
        "metrics": metrics,
        "spans": spans,
        "attributes": attributes,
        "alerts": alert_rules,
        "log-events": log_events,
        "reasons": reasons,
        "command-line": command_line,
        "admin": admin,
    }
)


def main() -> None:
    """Write the pages whose tables have changed."""
    for page in pages():
        text = page.read_text()
        if rendered(text) != text:
            page.write_text(rendered(text))
            sys.stdout.write(f"{page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()

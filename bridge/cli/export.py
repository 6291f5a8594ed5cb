"""`bridge export`: the contract, and what to watch, for other people's tools."""

import importlib.metadata
import json
from typing import Any

import cyclopts

from bridge.cli import environment, output

DISTRIBUTION = "kafka-temporal-bridge"

app = cyclopts.App(name="export", help="Print the contract as JSON Schema or AsyncAPI, or alert rules and a dashboard.")


@app.command
def jsonschema(name: str | None = None, /) -> int:
    """Print JSON Schema (2020-12) of the data of commands and outcomes, those of bridge.toml's routes included.

    Of a dead letter, whose data are what the record came with, it has the headers.

    For example:
        bridge export jsonschema > schemas.json

        bridge export jsonschema invoice.process

    Parameters
    ----------
    name
        CloudEvents type, such as invoice.sent, or dead_letter. Default: one document with all of them, by name.
    """
    from bridge.cli.contract import added, schemas  # noqa: PLC0415 - as above
    from bridge.setup import topicnames  # noqa: PLC0415 - slow to import

    rows = {row.command: row for row in added.rows(environment.load().routes.rows)}
    if name is None:
        return _print(schemas.document(rows.values()))
    topicnames.refuse_unknown([name], {*schemas.models(), *rows, schemas.DEAD_LETTER}, "a type of ours")
    return _print({"$schema": schemas.DIALECT, **added.schema(rows[name])} if name in rows else schemas.one(name))


@app.command
def asyncapi() -> int:
    """Print AsyncAPI 3.0.0: every topic, its messages, their headers, keys and data; those of bridge.toml included.

    For example:
        bridge export asyncapi > asyncapi.json
    """
    from bridge.cli.contract import added  # noqa: PLC0415 - slow to import
    from bridge.cli.contract import asyncapi as document  # noqa: PLC0415 - as above

    settings = environment.load()
    rows = added.rows(settings.routes.rows)
    return _print(document.document(importlib.metadata.version(DISTRIBUTION), rows, settings.bridge.reply_topics))


@app.command
def alerts() -> int:
    """Print Prometheus alert rules, each with what to do about it.

    For example:
        bridge export alerts > alerts.yml
    """
    from bridge.telemetry import alerts as table  # noqa: PLC0415 - only this command needs it

    output.write(table.rules().removesuffix("\n"))
    return 0


@app.command
def dashboard() -> int:
    """Print a Grafana dashboard of every metric.

    For example:
        bridge export dashboard > dashboard.json
    """
    from bridge.telemetry import dashboard as document  # noqa: PLC0415 - only this command needs it

    return _print(document.document())


def _print(document: dict[str, Any]) -> int:
    output.write(json.dumps(document, indent=2, default=float))  # a schema's numbers are decimals
    return 0

"""JSON Schema (2020-12) of the data of every command and outcome."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from bridge.cli.contract import added
from bridge.routes import Route
from topics import tables
from topics.fields import Model

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def models() -> dict[str, tuple[type[Model], Literal["validation", "serialization"]]]:
    """Return each model by its CloudEvents type, and whether it is read or written."""
    commands = {name: command.model for name, command in tables.COMMANDS.items()}
    outcomes: Mapping[str, type[Model]] = {
        **{name: event.model for name, event in tables.EVENTS.items()},
        **tables.LIFECYCLE_MODELS,
        **tables.REPLY_MODELS,
    }
    return {
        **{name: (model, "validation") for name, model in commands.items()},
        **{name: (model, "serialization") for name, model in outcomes.items()},
    }


def one(name: str) -> Schema:
    """Return the schema of one type's data; raises `KeyError`."""
    model, mode = models()[name]
    return {"$schema": DIALECT, "$id": f"urn:kafka-temporal-bridge:{name}", **model.model_json_schema(mode=mode)}


def all_of_them(ref_template: str = "#/$defs/{model}") -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return a reference by type, and the definitions that they refer to."""
    named = models()
    found, document = models_json_schema(list(dict.fromkeys(named.values())), ref_template=ref_template)
    return {name: found[key] for name, key in named.items()}, document.get("$defs", {})


def document(rows: Iterable[Route] = ()) -> Schema:
    """Return one schema that defines the data of every type under its name; `rows` are routes that are none of ours."""
    references, definitions = all_of_them()
    references |= {row.command: added.schema(row) for row in rows}
    return {
        "$schema": DIALECT,
        "$id": "urn:kafka-temporal-bridge",
        "title": "The data of every command and outcome, by CloudEvents type",
        "$defs": {**references, **definitions},
    }

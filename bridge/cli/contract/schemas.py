"""JSON Schema (2020-12) of the data of every command and outcome, and of the headers of dead letters."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from bridge.cli.contract import added, headers
from bridge.cli.contract.outcomes import OUTCOMES
from bridge.routes import Route
from topics import tables
from topics.fields import Model

DEAD_LETTER = "dead_letter"
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
    """Return the schema of one type's data, of a dead letter's headers; raises `KeyError`."""
    head = {"$schema": DIALECT, "$id": f"urn:kafka-temporal-bridge:{name}"}
    if name == DEAD_LETTER:
        return {**head, **headers.dead_letter()}
    model, mode = models()[name]
    return {**head, **_narrowed(name, model.model_json_schema(mode=mode))}


def all_of_them(ref_template: str = "#/$defs/{model}") -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Return a reference by type, and the definitions that they refer to."""
    named = models()
    found, document = models_json_schema(list(dict.fromkeys(named.values())), ref_template=ref_template)
    return {name: _narrowed(name, found[key]) for name, key in named.items()}, document.get("$defs", {})


def document(rows: Iterable[Route] = ()) -> Schema:
    """Return one schema that defines the data of every type under its name; `rows` are routes that are none of ours."""
    references, definitions = all_of_them()
    references |= {row.command: added.schema(row) for row in rows}
    references[DEAD_LETTER] = headers.dead_letter()
    return {
        "$schema": DIALECT,
        "$id": "urn:kafka-temporal-bridge",
        "title": "The data of every command and outcome, by CloudEvents type; the headers of a dead letter",
        "$defs": {**references, **definitions},
    }


def _narrowed(name: str, schema: Schema) -> Schema:
    """Return a schema that also says what one type of the several that share a model holds for certain."""
    outcome = OUTCOMES.get(name)
    if outcome is None:
        return schema
    narrower = {"description": outcome.summary, "properties": dict(outcome.narrower)}
    if "$ref" in schema:  # AsyncAPI allows nothing beside a reference
        return {"allOf": [schema, narrower]}
    return {**schema, "allOf": [narrower]}

"""Data held against a JSON Schema, Draft 2020-12. Nothing is fetched: neither references nor formats."""

import itertools
import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jiter
import referencing.exceptions
from jsonschema import Draft202012Validator, exceptions, validators
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from bridge.routes import checker, timelimit
from bridge.routes.timelimit import TooSlowError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PROBLEMS_MAX = 20
RULE_CHARACTERS_MAX = 80
DEPTH_MAX = 64
# A pattern may take as long as it likes. What is sound takes 2 s at most, of 1 MiB; a member is missed after 10.
CPU_MAX = timedelta(seconds=4)

_REFERENCES = ("$ref", "$dynamicRef")


class SchemaError(ValueError):
    """A file that is no JSON Schema we can follow."""


def _is_integer(_: Any, value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def _unique(_: Any, is_asked: bool, value: Any, __: Any) -> Iterator[exceptions.ValidationError]:
    """Compare by hashes: the library compares what cannot be sorted, such as objects, each with each."""
    if is_asked and isinstance(value, list) and len(set(map(_hashable, value))) < len(value):
        yield exceptions.ValidationError("has items that are not unique")


def _hashable(value: Any) -> Hashable:
    """Return what is equal for values that are equal to JSON Schema: 1 and 1.0 are, 1 and true are not."""
    match value:
        case bool():
            return "boolean", value
        case dict():
            return frozenset((name, _hashable(item)) for name, item in value.items())
        case list():
            return tuple(map(_hashable, value))
        case str():
            return "text", value
    return None if value is None else ("number", value)


# Numbers arrive as int or Decimal, never as float, and 1.0 is an integer to JSON Schema.
_Validator = validators.extend(  # type: ignore[no-untyped-call]  # its stub leaves out the return type
    Draft202012Validator,
    validators={"uniqueItems": _unique},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@dataclass(frozen=True, slots=True)
class SchemaChecker:
    """Holds data against a schema that was compiled when it was read."""

    name: str
    document: Mapping[str, Any] | bool
    validator: Any

    def problems(self, data: Mapping[str, Any]) -> list[str]:
        """Return what is wrong, each as `path: what`, at most 20 of them."""
        try:
            with timelimit.within(CPU_MAX):
                found = itertools.islice(self.validator.iter_errors(data), PROBLEMS_MAX)
                return list(dict.fromkeys(text for error in found for text in _described(error)))
        except TooSlowError:
            return [f"data: it takes more than {CPU_MAX.seconds} s to hold them against the schema"]
        except RecursionError:
            return ["data: the schema refers to itself without end"]
        except ArithmeticError:
            return ["data: a number is too large to be held against the schema"]

    def schema(self) -> dict[str, Any]:
        """Return the schema as it was read."""
        document = self.document
        return dict(document) if isinstance(document, Mapping) else ({} if document else {"not": {}})


def read(file: Path) -> SchemaChecker:
    """Return the checker of a schema file; raises `SchemaError` with what is wrong with it."""
    try:
        document = jiter.from_json(
            file.read_bytes(), allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal"
        )
    except OSError as error:
        raise SchemaError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SchemaError(f"{file} is no JSON: {error}") from error
    try:
        return compiled(document, str(file))
    except SchemaError as error:
        raise SchemaError(f"{file}: {error}") from error


def compiled(document: Any, name: str) -> SchemaChecker:
    """Return the checker of a schema; raises `SchemaError`."""
    if isinstance(document, Mapping) and document.get("$schema", DIALECT) not in {DIALECT, DIALECT + "#"}:
        raise SchemaError(f"is written in another dialect: only {DIALECT} is read")
    try:
        _Validator.check_schema(document)
    except exceptions.SchemaError as error:
        raise SchemaError(f"is no JSON Schema: {checker.path(error.absolute_path)}: {error.message}") from error
    resource = DRAFT202012.create_resource(document)
    registry: Registry[Any] = Registry()  # knows nothing but the file itself, and fetches nothing
    try:
        _resolve(resource, registry.resolver_with_root(resource), DEPTH_MAX)
    except referencing.exceptions.Unresolvable as error:
        raise SchemaError(f"refers to {error.ref}, which is not in the file: nothing is fetched") from error
    validator = _Validator(document, registry=registry)
    try:
        any(validator.iter_errors({}))
    except RecursionError as error:
        raise SchemaError("refers to itself without end") from error
    return SchemaChecker(name, document, validator)


def _resolve(resource: Resource[Any], resolver: Any, depth: int) -> None:
    """Follow every reference once; raises `Unresolvable`."""
    if depth == 0:
        raise SchemaError(f"is nested deeper than {DEPTH_MAX}")
    contents = resource.contents
    if isinstance(contents, Mapping):
        for name in _REFERENCES:
            if isinstance(contents.get(name), str):
                resolver.lookup(contents[name])
    for part in resource.subresources():
        _resolve(part, resolver.in_subresource(part), depth - 1)


def _described(error: exceptions.ValidationError) -> Iterator[str]:
    where = checker.path(error.absolute_path)
    rule: Any = error.validator_value
    if error.validator == "required" and isinstance(error.instance, Mapping):
        inside = list(error.absolute_path)
        yield from (f"{checker.path([*inside, name])}: is missing" for name in rule if name not in error.instance)
    elif error.validator == "type":
        kinds = rule if isinstance(rule, list) else [rule]
        yield f"{where}: must be of the type {' or '.join(map(str, kinds))}"
    else:
        # What the schema says is the deployment's own; what the library's message quotes may be payload.
        text = json.dumps(rule, default=float, ensure_ascii=False)
        yield f"{where}: breaks {error.validator}" + (f" {text}" if len(text) <= RULE_CHARACTERS_MAX else "")

"""What a command's data are held against: a model of ours, or a JSON Schema of the deployment's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from topics.fields import Model

PART_CHARACTERS_MAX = 64


class Checker(Protocol):
    """Knows what sound data are."""

    @property
    def name(self) -> str:
        """What it holds data against, for people."""
        ...

    def problems(self, data: Mapping[str, Any]) -> list[str]:
        """Return what is wrong, each as `path: what`, without the values: they are payload."""
        ...

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) that says the same."""
        ...


@dataclass(frozen=True, slots=True)
class ModelChecker:
    """Holds data against a pydantic model."""

    model: type[Model]

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.__name__

    def problems(self, data: Mapping[str, Any]) -> list[str]:
        """Return what is wrong, each as `path: what`."""
        try:
            self.model.model_validate(data)
        except ValidationError as error:
            return [_described(details) for details in _own(error)]
        return []

    def schema(self) -> dict[str, Any]:
        """Return the model's JSON Schema."""
        return self.model.model_json_schema()


def _own(error: ValidationError) -> list[dict[str, Any]]:
    """Return the problems, but for a list that counts as too short only because its items are wrong."""
    problems: list[dict[str, Any]] = [*map(dict, error.errors(include_input=False, include_url=False))]
    places: list[tuple[Any, ...]] = [details["loc"] for details in problems]

    def has_wrong_items(place: tuple[Any, ...]) -> bool:
        return any(len(other) > len(place) and other[: len(place)] == place for other in places)

    return [it for it in problems if it["type"] != "too_short" or not has_wrong_items(it["loc"])]


def _described(details: Mapping[str, Any]) -> str:
    return f"{path(details['loc'])}: {str(details['msg']).removeprefix('Value error, ')}"


def path(parts: Any) -> str:
    """Return where in the data something is; long names are cut, as they may be payload too."""
    return ".".join(str(part)[:PART_CHARACTERS_MAX] for part in parts) or "data"

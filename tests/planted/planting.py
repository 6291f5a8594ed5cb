"""Puts a bug in the place of something of the daemon's, and notes that it was put there, and that it was met."""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

PLANTED, MET, FAILED = "planted", "met", "failed"


class NothingThereError(Exception):
    """What a bug is to replace is not there any more, or takes something else: the bug would prove nothing."""


class Planting:
    """One process's; `folder` is where it leaves its notes, a file each, by process id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._has_met = False

    def replace(self, owner: type[Any] | ModuleType, name: str, planted: Callable[..., Any] | property) -> None:
        """Put `planted` in the place of a function, method or property; it takes the same parameters."""
        there = vars(owner).get(name)
        if there is None:
            raise NothingThereError(f"{owner.__name__} has no {name}")
        if isinstance(there, property) is not isinstance(planted, property):
            raise NothingThereError(f"{owner.__name__}.{name} is {there!r}")
        if not isinstance(planted, property) and _takes(there) != _takes(planted):
            raise NothingThereError(f"{owner.__name__}.{name} takes {_takes(there)}, the bug {_takes(planted)}")
        self._put(owner, name, planted)

    def _put(self, owner: type[Any] | ModuleType, name: str, planted: Callable[..., Any] | property) -> None:
        setattr(owner, name, planted)

    def met(self) -> None:
        """Note that the wrong code ran."""
        if not self._has_met:
            self._has_met = True
            self.note(MET)

    def note(self, what: str, text: str = "") -> None:
        """Leave a note for who started the tests."""
        (self._folder / f"{what}-{os.getpid()}").write_text(text)


def _takes(function: Any) -> list[tuple[str, Any]]:
    return [(one.name, one.kind) for one in inspect.signature(function).parameters.values()]

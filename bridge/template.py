"""Templates such as `invoice-{invoice_id}`: literal text and fields of a command's data.

Not `str.format`: what fills a template comes from outside and is never interpreted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: how it begins, and its fields, each with the literal text behind it."""

    begin: str
    parts: tuple[tuple[str, str], ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(name for name, _ in self.parts)

    def fill(self, data: Mapping[str, Any]) -> str:
        """Return the text with each field's value; raises `ValueError` where one is missing, or no text or integer."""
        text = self.begin
        for name, literal in self.parts:
            value = data.get(name)
            if type(value) is int:
                value = str(value)
            if type(value) is not str or not value:
                raise ValueError(f"{name}: must be text or an integer, as the workflow id is made of it")
            text += value + literal
        return text

    def could_be(self, text: str) -> bool:
        """Return whether filling this template could give `text`; in linear time, as a pattern would not be."""
        if not self.parts:
            return text == self.begin
        if not text.startswith(self.begin):
            return False
        place = len(self.begin)
        for _, literal in self.parts[:-1]:  # the earliest place leaves most to the rest
            found = text.find(literal, place + 1)
            if found < 0:
                return False
            place = found + len(literal)
        end = self.parts[-1][1]
        return text.endswith(end) and len(text) - len(end) > place


@lru_cache(maxsize=1024)
def parse(text: str) -> Template:
    """Parse a template; raises `ValueError` where a brace or a field's name is wrong."""
    pieces = _FIELD.split(text)
    literals, fields = tuple(pieces[::2]), tuple(pieces[1::2])
    for literal in literals:
        if "{" in literal or "}" in literal:
            raise ValueError(f"{text!r} has a brace without its partner")
    for name in fields:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{text!r} names {name!r}, which is not a field's name")
    parts = tuple(zip(fields, literals[1:], strict=True))
    return Template(literals[0], parts)

"""The pages as the tests read them: their links, and their blocks of code."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs import render

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PROMPT = "$ "


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code of a page."""

    page: Path
    language: str
    text: str

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return f"{self.page.relative_to(render.ROOT)}: {self.text.splitlines()[0]}"


def blocks(language: str) -> Iterator[Block]:
    """Yield the blocks of one language, on all pages."""
    for page in render.pages():
        for found in _FENCE.finditer(page.read_text()):
            if found[1] == language:
                yield Block(page, found[1], found[2])


def block(page: str, language: str, number: int = 0) -> str:
    """Return the text of one block of a page."""
    return [found.text for found in blocks(language) if found.page == render.ROOT / page][number]


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Yield each command that the pages tell to type, with the name of its page; a pipe is several commands."""
    for found in blocks("console"):
        for line in found.text.splitlines():
            if line.startswith(_PROMPT):
                for part in line.removeprefix(_PROMPT).split("|"):
                    yield str(found.page.relative_to(render.ROOT)), shlex.split(part)


def links(page: Path) -> Iterator[str]:
    """Yield the targets of the links of a page, outside of code."""
    yield from _LINK.findall(_FENCE.sub("", page.read_text()))

"""Cut input into JSON values: one a line, or written over several lines, one after another."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge import errors

STDIN = "-"

_NEXT_VALUE = re.compile(r"^(?=\{)", re.MULTILINE)
_SPACE = re.compile(r"\s*")
# Numbers stay text: only the end of each value is looked for, and long ones cost.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass(frozen=True, slots=True)
class Piece:
    """One value as it was written, and the line on which it begins."""

    line: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """Text that is no JSON; `problem` says why."""

    line: int
    problem: str


def read(name: str) -> bytes:
    """Return the bytes of a file, or of the standard input for `-`; raises `ConfigurationError`."""
    if name == STDIN:
        if sys.stdin.isatty():
            print("Reading from the terminal: end with Ctrl-D.", file=sys.stderr)  # noqa: T201 - talk
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise errors.ConfigurationError(f"{name} cannot be read: {error.strerror}.") from error


def cut(content: bytes) -> Iterator[Piece | Broken]:
    """Yield every value of `content`; after one that is broken, go on with the next line that begins with `{`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Broken(content.count(b"\n", 0, error.start) + 1, "it is not UTF-8 text")
        return
    position = _space_end(text, 0)
    line, counted = 1, 0
    while position < len(text):
        line, counted = line + text.count("\n", counted, position), position
        try:
            _, end = _DECODER.raw_decode(text, position)
        except RecursionError:
            yield Broken(line, "it is nested too deeply")
            end = _next_start(text, position)
        except json.JSONDecodeError as error:
            yield Broken(line, f"it is no JSON: {error.msg}, at line {error.lineno}, column {error.colno}")
            end = _next_start(text, position)
        else:
            yield Piece(line, text[position:end].encode())
        position = _space_end(text, end)


def lines(content: bytes) -> Iterator[Piece]:
    """Yield every line that is not empty, whatever it holds."""
    for number, text in enumerate(content.split(b"\n"), start=1):
        if text.strip():
            yield Piece(number, text.removesuffix(b"\r"))


def _space_end(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _next_start(text: str, position: int) -> int:
    found = _NEXT_VALUE.search(text, position + 1)
    return found.start() if found else len(text)

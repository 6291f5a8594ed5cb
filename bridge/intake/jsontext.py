"""JSON from outside: parsed strictly, numbers exact, depth bounded; and pieces of it as they were sent."""

import re
from typing import Any

import jiter

DEPTH_MAX = 64

# Possessive, as what is matched is never given back: else a long string would cost 100 times its size.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]', re.DOTALL)


def parse(text: bytes) -> Any:
    """Parse UTF-8 JSON text; raises `ValueError` for what RFC 8259 and I-JSON refuse, or deeper than 64.

    Refused beside bad syntax: trailing bytes, a byte order mark, NaN, a name that is there twice, lone surrogates.
    """
    value = jiter.from_json(text, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal")
    # Brackets in strings count too, which only makes the exact look below happen more often than it must.
    if text.count(b"{") + text.count(b"[") > DEPTH_MAX and _depth(value) > DEPTH_MAX:
        raise ValueError(f"nested deeper than {DEPTH_MAX}")
    return value


def member(text: bytes, name: str) -> bytes | None:
    """Return the text of the member `name` of a JSON object, as it was sent; `text` must have been parsed before."""
    depth, start = 0, -1
    key_next = found = False
    for token in _TOKEN.finditer(text):
        piece = token.group()
        if piece in b"}]":
            depth -= 1
            if depth == 0 and start >= 0:
                return text[start : token.start()].strip()
        elif piece in b"{[":
            depth += 1
            key_next = depth == 1
        elif depth == 1 and piece == b",":
            if start >= 0:
                return text[start : token.start()].strip()
            key_next = True
        elif depth == 1 and key_next and piece[:1] == b'"':
            key_next, found = False, jiter.from_json(piece) == name
        elif depth == 1 and piece == b":" and found:
            start, found = token.end(), False
    return None


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        inner = [item for item in level if isinstance(item, dict | list)]
        depth += bool(inner)
        level = [child for item in inner for child in (item.values() if isinstance(item, dict) else item)]
    return depth

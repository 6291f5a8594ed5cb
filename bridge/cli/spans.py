"""The spans of a command's trace, as the daemon tells them where they are kept: under `bridge dev`."""

import operator
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from topics.environment.sections import BridgeSection

ANSWER_SECONDS = 3.0
LEVELS_MAX = 50

Span = Mapping[str, Any]


async def of(bridge: BridgeSection, trace_id: str | None) -> list[Any]:
    """Return the spans of a trace; none where no daemon answers, or it keeps none."""
    if trace_id is None:
        return []
    token = bridge.admin_token.get_secret_value() if bridge.admin_token is not None else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
            answer = await client.get(f"http://{bridge.admin_address}/v1/spans/{trace_id}", headers=headers)
        found = answer.json()["spans"] if answer.is_success else []
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) else []


def lines(spans: Sequence[Span]) -> Iterator[tuple[int, str]]:
    """Yield a line for each span, and how deep it lies; those of other traces, which link to this one, at the top."""
    known = {span["span_id"] for span in spans}
    under: dict[str | None, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=operator.itemgetter("started_at")):
        under[span["parent_id"] if span["parent_id"] in known else None].append(span)
    yield from _below(under, None, 0)


def _below(under: Mapping[str | None, Sequence[Span]], parent: str | None, depth: int) -> Iterator[tuple[int, str]]:
    for span in under.get(parent, ()):
        error = ", failed" if span["is_error"] else ""
        yield depth, f"{span['started_at']} {span['name']}, {span['took_ms']:g} ms, {span['service']}{error}"
        if depth < LEVELS_MAX:
            yield from _below(under, span["span_id"], depth + 1)

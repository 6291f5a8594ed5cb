"""`GET /v1/trace/{id}`: what happened to a command."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bridge.admin.management import Management
from bridge.admin.operation import Operation, answered
from bridge.errors import ConfigurationError
from bridge.lookup import findings, lookup

AT_ONCE = 2  # each reads megabytes: commands come first

_WITH_DATA = ("lifecycle", "replies")
_WITHOUT_DATA = ("events", "dead_letters")


@dataclass(frozen=True, slots=True)
class Tracing:
    """The handler, with clients of its own for each answer: what it reads must not stand before commands."""

    management: Management
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def operations(self) -> list[Operation]:
        """Return the rows of the API."""
        summary = "What happened to a command: by its id, a business, workflow or trace id, or topic/partition/offset"
        return [Operation("GET", "/v1/trace/{id:path}", summary, self.trace)]

    async def trace(self, request: Request) -> Response:
        """Return the account of the command that is meant, beside it those of `others`; 404 where there is none."""
        text = request.path_params["id"]
        async with self.turn, lookup.opened(self.management.settings) as looking:
            try:
                found = await looking.answer(text)
            except ValueError as error:
                raise ConfigurationError(f"{error}.") from error
        accounts = [without_payload(account) for account in found.accounts]
        if not accounts:
            told = {
                "problem": f"Nothing was found of {text}.",
                "looked": findings.looks(found.looked),
                "notes": list(found.notes),
            }
            return JSONResponse(told, status_code=HTTPStatus.NOT_FOUND)
        return answered(accounts[0] | {"others": accounts[1:], "more": found.more})


def without_payload(account: dict[str, Any]) -> dict[str, Any]:
    """Return an account without what commands, events and results hold; `bridge trace` is for who may read Kafka."""
    bare = {name: [{**record, "data": None} for record in account[name]] for name in _WITHOUT_DATA}
    kept = {name: [{**record, "data": _kept(record["data"])} for record in account[name]] for name in _WITH_DATA}
    runs = {"runs": [_kept(run) for run in account["runs"]], "against": _kept(account["against"])}
    return account | bare | kept | runs


def _kept(told: Any) -> Any:
    """Return what is told of a run, its failure by type alone: the message can hold anything."""
    if not isinstance(told, dict):
        return None
    failure = told.get("failure")
    kept = {name: value for name, value in told.items() if name != "result"}
    return kept | ({"failure": {"type": failure.get("type")}} if isinstance(failure, dict) else {})

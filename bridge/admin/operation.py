"""One thing that the admin API does: its handler, and what OpenAPI says of it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bridge import errors
from bridge.admin import asked
from bridge.admin.guard import problem

Handler = Callable[[Request], Awaitable[Response]]

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the API: `query` and `body` are what it takes, with what each is, `path` is Starlette's."""

    method: str
    path: str
    summary: str
    handler: Handler
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)

    @property
    def openapi_path(self) -> str:
        """The path as OpenAPI writes it."""
        return _PARAMETER.sub(r"{\1}", self.path)

    async def answer(self, request: Request) -> Response:
        """Return the handler's answer, or what a person must know in its place."""
        try:
            return await self.handler(request)
        except errors.ConfigurationError as error:
            return problem(HTTPStatus.BAD_REQUEST, str(error))
        except asked.NotFoundError as error:
            return problem(HTTPStatus.NOT_FOUND, str(error))
        except (errors.ConnectError, errors.UnavailableError) as error:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except errors.BridgeError as error:
            return problem(HTTPStatus.CONFLICT, str(error))
        except ExceptionGroup as group:  # of several servers that were asked at once
            known, others = group.split(errors.BridgeError)
            if known is None or others is not None:
                raise
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(map(str, known.exceptions)))


def openapi(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the operations."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.openapi_path, {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "kafka-temporal-bridge: admin", "version": version},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
        "paths": paths,
    }


def _described(operation: Operation) -> dict[str, Any]:
    in_path = [(name, "path", "") for name in _PARAMETER.findall(operation.path)]
    in_query = [(name, "query", text) for name, text in operation.query.items()]
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": [
            {"name": name, "in": place, "required": place == "path", "description": text, "schema": {"type": "string"}}
            for name, place, text in (*in_path, *in_query)
        ],
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {}}},
            "default": {
                "description": "What is wrong, and what to do.",
                "content": {"application/json": {"schema": _object({"problem": "What is wrong."})}},
            },
        },
    }
    if operation.body:
        described["requestBody"] = {"content": {"application/json": {"schema": _object(operation.body)}}}
    return described


def _object(members: Mapping[str, str]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"description": text} for name, text in members.items()}}


def answered(content: Any) -> Response:
    """Return an answer that is no cache's."""
    return JSONResponse(content, headers={"Cache-Control": "no-store"})

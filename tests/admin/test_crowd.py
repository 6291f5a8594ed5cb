"""What the admin address does with too many questions, and with servers that are away, without servers."""

import asyncio
from http import HTTPStatus

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bridge import errors
from bridge.admin.guard import ASKED_MAX, Door, Guard
from bridge.admin.operation import Operation


async def test_probes_find_room_however_much_is_asked() -> None:
    asked, answer = asyncio.Semaphore(0), asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/v1/trace/x":
            asked.release()
            await answer.wait()
        await PlainTextResponse("well")(scope, receive, send)

    transport = httpx.ASGITransport(Guard(application, Door("127.0.0.1:8088", None)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8088") as client:
        waiting = [asyncio.create_task(client.get("/v1/trace/x")) for _ in range(ASKED_MAX)]
        for _ in waiting:
            await asked.acquire()
        one_more, probe = await client.get("/v1/trace/x"), await client.get("/healthz")
        assert (one_more.status_code, probe.status_code) == (503, 200)
        answer.set()
        assert {each.status_code for each in await asyncio.gather(*waiting)} == {200}
        assert (await client.get("/v1/trace/x")).status_code == 200


async def test_servers_that_are_away_are_told_though_several_were_asked_at_once() -> None:
    async def away(_: Request) -> Response:
        raise ExceptionGroup("both", [errors.ConnectError("Kafka is away."), errors.ConnectError("Temporal is away.")])

    operation = Operation("GET", "/v1/x", "x", away)
    answer = await operation.answer(Request({"type": "http"}))
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert b"Kafka is away." in bytes(answer.body)
    assert b"Temporal is away." in bytes(answer.body)

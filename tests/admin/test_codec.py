"""The codec endpoint by Temporal's protocol: who may ask, from which page, how much; without servers."""

import base64
import dataclasses
import threading
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload

from bridge import settings
from bridge.admin import api, codec, guard
from bridge.admin.management import Management
from bridge.sealing import Sealing
from bridge.telemetry.health import Health
from bridge.telemetry.metrics import Metrics

KEYS = f"one:{base64.b64encode(b'1' * 32).decode()}"
TOKEN = "let-me-in"
HERE, ANYWHERE = "127.0.0.1:8088", "0.0.0.0:8088"
PAGE = "https://temporal.example"
PLAIN = {
    "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
    "data": base64.b64encode(b'"Ada"').decode(),
}
DECODE, ENCODE = "/v1/codec/decode", "/v1/codec/encode"


def client(*, keys: str | None = KEYS, address: str = HERE, token: str | None = None) -> httpx.AsyncClient:
    loaded = settings.load({})
    bridge = loaded.bridge.model_copy(
        update={
            "admin_address": address,
            "admin_token": None if token is None else SecretStr(token),
            "payload_keys": None if keys is None else SecretStr(keys),
            "codec_origins": (PAGE,),
        }
    )
    health = Health()
    management = Management(dataclasses.replace(loaded, bridge=bridge), health)
    application = api.application(health, Metrics(), management)
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=f"http://{HERE}")


async def encoded(asking: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await asking.post(ENCODE, json={"payloads": [PLAIN]})).json()
    return found


async def test_what_is_encoded_is_decoded() -> None:
    async with client() as asking:
        sealed = await encoded(asking)
        answer = await asking.post(DECODE, json=sealed)

    metadata = sealed["payloads"][0]["metadata"]
    assert base64.b64decode(metadata["encoding"]) == b"binary/encrypted"
    assert base64.b64decode(metadata["encryption-key-id"]) == b"one"
    assert (answer.json(), answer.headers["cache-control"]) == ({"payloads": [PLAIN]}, "no-store")


async def test_what_is_not_sealed_by_a_known_key_stays_as_it_is() -> None:
    other = client(keys=f"two:{base64.b64encode(b'2' * 32).decode()}")
    async with client() as asking, other as others:
        sealed = await encoded(others)
        both = {"payloads": [PLAIN, *sealed["payloads"]]}
        answer = await asking.post(DECODE, json=both)

    assert answer.json() == both


async def test_without_keys_there_is_no_codec() -> None:
    async with client(keys=None) as asking:
        answers = [await asking.post(path, json={}) for path in (DECODE, ENCODE)]
    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("body", [b"", b"{", b"1", b'{"payloads": 1}', b"\xff"])
async def test_a_body_that_is_no_payloads_is_refused(body: bytes) -> None:
    async with client() as asking:
        answer = await asking.post(DECODE, content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["problem"])


@pytest.mark.parametrize(("bytes_more", "status"), [(0, 400), (1, 413)])
async def test_a_body_is_bounded(bytes_more: int, status: int) -> None:
    async with client() as asking:
        answer = await asking.post(DECODE, content=b"x" * (guard.CODEC_BODY_BYTES_MAX + bytes_more))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("address", "token", "given", "status"),
    [
        (HERE, None, None, 200),
        (HERE, TOKEN, None, 401),
        (HERE, TOKEN, TOKEN, 200),
        (ANYWHERE, None, None, 403),
        (ANYWHERE, TOKEN, "wrong", 401),
        (ANYWHERE, TOKEN, TOKEN, 200),
    ],
)
@pytest.mark.parametrize("origin", [None, PAGE])
async def test_the_codec_is_for_whom_the_api_is(
    address: str, token: str | None, given: str | None, status: int, origin: str | None
) -> None:
    headers = {"Authorization": f"Bearer {given}"} if given is not None else {}
    async with client(address=address, token=token) as asking:
        answer = await asking.post(
            ENCODE, json={"payloads": [PLAIN]}, headers=headers | ({"Origin": origin} if origin is not None else {})
        )
    assert answer.status_code == status
    assert (answer.headers.get("access-control-allow-origin") == PAGE) == (origin is not None)


@pytest.mark.parametrize(("origin", "allowed"), [(PAGE, PAGE), ("https://evil.example", None)])
async def test_a_page_is_told_before_whether_it_may_ask(origin: str, allowed: str | None) -> None:
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-namespace",
    }
    async with client(token=TOKEN) as asking:
        answer = await asking.options(DECODE, headers=wanted)
    assert (answer.status_code == 200, answer.headers.get("access-control-allow-origin")) == (bool(allowed), allowed)


@pytest.mark.parametrize("path", [DECODE, "/v1/routes"])
async def test_another_page_may_not_ask_and_the_ui_s_page_nothing_else(path: str) -> None:
    origin = "https://evil.example" if path == DECODE else PAGE
    async with client() as asking:
        answer = await asking.request("POST" if path == DECODE else "GET", path, headers={"Origin": origin})
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (403, None)


async def test_the_api_s_document_tells_of_the_codec() -> None:
    async with client() as asking:
        paths = (await asking.get("/v1/openapi.json")).json()["paths"]
    assert {DECODE, ENCODE} <= paths.keys()


@pytest.mark.parametrize("path", [DECODE, ENCODE])
@pytest.mark.parametrize("part", [b"{}", b"[]"])  # protobuf takes both for a payload
async def test_a_request_of_more_payloads_than_anybody_reads_is_refused(path: str, part: bytes) -> None:
    body = b'{"payloads":[' + b",".join([part] * (codec.PARTS_MAX + 2)) + b"]}"
    async with client() as asking:
        answer = await asking.post(path, content=body)
    assert (answer.status_code, answer.json()) == (
        400,
        {"problem": f"The body has more than {codec.PARTS_MAX} parts: ask for fewer payloads at once."},
    )


async def test_the_daemon_goes_on_while_payloads_are_coded(monkeypatch: pytest.MonkeyPatch) -> None:
    coded_in: list[int] = []

    def sealed(_: Sealing, payload: Payload) -> Payload:
        coded_in.append(threading.get_ident())
        return payload

    monkeypatch.setattr(Sealing, "sealed", sealed)
    async with client() as asking:
        answer = await asking.post(ENCODE, json={"payloads": [PLAIN]})
    assert answer.status_code == 200
    assert threading.get_ident() not in coded_in
    assert len(coded_in) == 1

"""Who may ask the admin address for what, without servers."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr

from bridge import settings
from bridge.admin import api, guard
from bridge.admin.management import Management
from bridge.telemetry.health import Health
from bridge.telemetry.metrics import Metrics

TOKEN = "let-me-in"
HERE = "127.0.0.1:8088"
ANYWHERE = "0.0.0.0:8088"


def client(
    address: str = HERE, token: str | None = None, host: str = HERE, metrics: Metrics | None = None
) -> httpx.AsyncClient:
    loaded = settings.load({})
    bridge = loaded.bridge.model_copy(
        update={"admin_address": address, "admin_token": None if token is None else SecretStr(token)}
    )
    health = Health()
    application = api.application(health, metrics or Metrics(), Management(replace(loaded, bridge=bridge), health))
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url=f"http://{host}")


async def test_on_this_machine_no_token_is_needed_where_none_is_set() -> None:
    async with client() as asking:
        assert (await asking.get("/v1/routes")).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("token", [TOKEN, None])
async def test_health_and_metrics_need_no_token_anywhere(path: str, token: str | None) -> None:
    async with client(ANYWHERE, token, "bridge.example:8088") as asking:
        assert (await asking.get(path)).status_code == 200


async def test_what_other_machines_can_reach_is_shut_until_a_token_is_set() -> None:
    async with client(ANYWHERE) as asking:
        answer = await asking.get("/v1/routes")
    assert (answer.status_code, "set BRIDGE_ADMIN_TOKEN" in answer.json()["problem"]) == (403, True)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
@pytest.mark.parametrize("address", [ANYWHERE, HERE])
async def test_a_token_that_is_set_must_be_sent(address: str, header: str | None) -> None:
    async with client(address, TOKEN) as asking:
        answer = await asking.get("/v1/routes", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert TOKEN not in answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_the_token_opens_it_from_anywhere(scheme: str) -> None:
    async with client(ANYWHERE, TOKEN, "bridge.example:8088") as asking:
        answer = await asking.get("/v1/routes", headers={"Authorization": f"{scheme} {TOKEN}"})
    assert answer.status_code == 200


async def test_a_name_that_leads_here_from_elsewhere_is_refused_so_that_no_page_can_rebind_it() -> None:
    async with client(host="evil.example:8088") as asking:
        assert (await asking.get("/v1/routes")).status_code == 403


async def test_a_page_of_another_site_cannot_make_a_browser_act() -> None:
    async with client() as asking:
        answer = await asking.put("/v1/log-level", json={"level": "error"}, headers={"Origin": "https://evil.example"})
        own = await asking.get("/v1/log-level", headers={"Origin": f"http://{HERE}"})
    assert (answer.status_code, own.status_code) == (403, 200)


async def test_a_body_is_bounded_however_it_comes() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in itertools.repeat(None, 100):
            yield b" " * 1000

    async with client() as asking:
        whole = await asking.put("/v1/log-level", content=b" " * (guard.BODY_BYTES_MAX + 1))
        cut = await asking.put("/v1/log-level", content=pieces())
    assert (whole.status_code, cut.status_code) == (413, 413)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "The body is no JSON text."),
        (b"[]", "The body must be a JSON object."),
        (b'{"lvel": "info"}', "lvel is not known; did you mean level?"),
        (b'{"level": "loud"}', "level: give one of debug, info, warning, error."),
    ],
)
async def test_a_wrong_body_is_told_in_words(body: bytes, problem: str) -> None:
    async with client() as asking:
        answer = await asking.put("/v1/log-level", content=body)
    assert (answer.status_code, answer.json()["problem"]) == (400, problem)


async def test_before_the_daemon_is_up_its_inside_is_not_there_and_its_table_is() -> None:
    async with client() as asking:
        inside, health = await asking.get("/v1/partitions"), await asking.get("/v1/health")
    assert (inside.status_code, health.json()["figures"]) == (503, None)


async def test_openapi_tells_of_every_operation_with_what_it_takes() -> None:
    async with client() as asking:
        document = (await asking.get("/v1/openapi.json")).json()
    operations = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert operations == {
        ("get", "/v1/health"),
        ("get", "/v1/overview"),
        ("get", "/v1/routes"),
        ("post", "/v1/routes/{command}/pause"),
        ("post", "/v1/routes/{command}/resume"),
        ("get", "/v1/partitions"),
        ("get", "/v1/lanes"),
        ("get", "/v1/log-level"),
        ("put", "/v1/log-level"),
        ("get", "/v1/trace/{id}"),
        ("get", "/v1/dead-letters"),
        ("get", "/v1/dead-letters/{topic}/{partition}/{offset}"),
        ("post", "/v1/dead-letters/replay"),
        ("post", "/v1/dead-letters/discard"),
        ("get", "/v1/spans/{trace_id}"),
    }
    taken = document["paths"]["/v1/trace/{id}"]["get"]["parameters"]
    assert [(each["name"], each["in"], each["required"]) for each in taken] == [("id", "path", True)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:8088", True),
        ("[::1]:8088", True),
        ("localhost:8088", True),
        ("localhost", True),
        ("0.0.0.0:8088", False),
        ("[::]:8088", False),
        ("127.0.0.1.evil.example:80", False),
        ("", False),
    ],
)
def test_only_addresses_of_this_machine_count_as_such(address: str, expected: bool) -> None:
    assert guard.is_loopback(guard.host_of(address)) == expected

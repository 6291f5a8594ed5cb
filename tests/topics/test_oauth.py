import http.server
import threading
import urllib.error
import urllib.parse
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from topics.environment import oauth
from topics.environment.oauth import Token
from topics.environment.sections import KafkaSection


class TokenServer(http.server.HTTPServer):
    status = 200
    answer = b'{"access_token": "t0ken", "expires_in": 60}'
    form = b""
    login = ""
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"


class Handler(http.server.BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        self.server.form = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.login = self.headers["Authorization"]
        self.server.asked += 1
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server names it so
        return


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def section(server: TokenServer) -> KafkaSection:
    return KafkaSection(
        sasl_oauthbearer_token_endpoint_url=server.url,
        sasl_oauthbearer_client_id="ann",
        sasl_oauthbearer_client_secret=SecretStr("p:w"),
        sasl_oauthbearer_scope="kafka",
    )


def test_a_token_is_asked_for_by_client_credentials(server: TokenServer) -> None:
    assert oauth.fetch_token(section(server)) == Token("t0ken", 60.0)
    assert urllib.parse.parse_qs(server.form.decode()) == {"grant_type": ["client_credentials"], "scope": ["kafka"]}
    assert server.login == "Basic YW5uOnAlM0F3"


@pytest.mark.parametrize(("status", "answer"), [(401, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b"{}")])
def test_a_token_server_that_says_no_is_told_from_one_that_is_away(
    server: TokenServer, status: int, answer: bytes
) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(oauth.RefusedError):
        oauth.fetch_token(section(server))


@pytest.mark.parametrize("status", [401, 503])
def test_a_connection_to_a_token_server_that_gives_no_token_is_closed(server: TokenServer, status: int) -> None:
    server.status = status
    with pytest.raises((oauth.RefusedError, OSError)) as caught:
        oauth.fetch_token(section(server))
    assert isinstance(caught.value.__cause__, urllib.error.HTTPError)
    assert caught.value.__cause__.closed


def test_a_token_server_with_a_fault_is_away(server: TokenServer) -> None:
    server.status = 503
    with pytest.raises(OSError, match="503"):
        oauth.fetch_token(section(server))


async def test_a_token_is_kept_while_it_is_young_and_asked_for_anew_when_it_is_old(server: TokenServer) -> None:
    tokens = oauth.Tokens(section(server))
    assert await tokens.current() == "t0ken"
    server.answer = b'{"access_token": "second", "expires_in": 0}'
    assert await tokens.current() == "t0ken"
    expired = oauth.Tokens(section(server))
    assert await expired.current() == "second"
    server.answer = b'{"access_token": "third", "expires_in": 60}'
    assert await expired.current() == "third"


@pytest.mark.parametrize(("status", "error"), [(401, oauth.RefusedError), (503, OSError)])
async def test_a_token_server_that_gives_none_is_asked_again_after_a_while_and_not_at_once(
    server: TokenServer, status: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = oauth.Tokens(section(server))
    server.status = status
    for _ in range(3):
        with pytest.raises(error):
            await tokens.current()
    assert server.asked == 1
    server.status = 200
    monkeypatch.setattr(oauth, "ASK_AGAIN_SECONDS", 0.0)
    assert (await tokens.current(), server.asked) == ("t0ken", 2)

"""A login at Kafka that expires every few seconds, is revoked, and given back: no restart, and no dead letter."""

import base64
import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.conftest import OUTCOMES
from tests.acceptance.journal import Journal
from tests.acceptance.program import Program
from tests.faults.entities import Workers
from tests.faults.ledger import Steady
from tests.faults.proxy import Proxy
from tests.faults.scene import SETTLED_WITHIN_SECONDS, Scene
from tests.faults.wired import Wired
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

TOKEN_SECONDS = 6
REVOKED_SECONDS = 15.0
UNSECURED = "org.apache.kafka.common.security.oauthbearer"
SETTINGS = {
    "listener_name_wire_sasl_enabled_mechanisms": "OAUTHBEARER",
    "listener_name_wire_oauthbearer_sasl_jaas_config": (
        f'{UNSECURED}.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker" ;'
    ),
    "listener_name_wire_oauthbearer_connections_max_reauth_ms": str(TOKEN_SECONDS * 1000),
}


class TokenServer(http.server.ThreadingHTTPServer):
    """Gives tokens that the broker believes for some seconds; none while `is_revoked`."""

    is_revoked = False
    given = refused = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"


class Handler(http.server.BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.is_revoked:
            self.server.refused += 1
            self.send_response(401)
            self.end_headers()
            self.wfile.write(b"{}")
            return
        self.server.given += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"access_token": token(), "expires_in": TOKEN_SECONDS}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server names it so
        return


def token() -> str:
    """Return a token without a signature, as brokers take it that are not told of any key."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": "bridge", "iat": now - 1, "exp": now + TOKEN_SECONDS})
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    with TokenServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def asking_kafka(guard: processes.Guard, folder: Path) -> Iterator[Wired]:
    """Give a Kafka whose second listener wants a token."""
    with Proxy(f"{ports.HOST}:{ports.free()}") as wire:
        kafka = Wired(guard, folder, wire, "SASL_PLAINTEXT", **SETTINGS)
        kafka.start()
        kafka.wait_ready()
        yield kafka
        kafka.stop()


@pytest.fixture
def guarded(
    ground: tuple[Kafka, Temporal],
    workers: Workers,
    tokens: TokenServer,
    guard: processes.Guard,
    tmp_path: Path,
    seed: int,
    record_property: Callable[[str, object], None],
) -> Iterator[Scene]:
    """Give a scene whose members log in with tokens; who watches needs none."""
    temporal = ground[1]
    with asking_kafka(guard, tmp_path) as kafka, Proxy(temporal.address) as proxy:
        env = program.environment(KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap, TEMPORAL_ADDRESS=temporal.address)
        setup = Program(guard, tmp_path, env, "setup", "apply")
        assert setup.run(within=SETTLED_WITHIN_SECONDS) == 0, setup.text
        with Journal(kafka.bootstrap, OUTCOMES) as journal:
            scene = Scene(seed, kafka, temporal, proxy, journal, guard, tmp_path, note=record_property)
            try:
                scene.set_up()
                scene.over_the_wire()
                scene.env |= {
                    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                    "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
                    "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL": tokens.url,
                    "KAFKA_SASL_OAUTHBEARER_CLIENT_ID": "bridge",
                    "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET": "s3cret",
                }
                with scene.sampler:
                    yield scene
            finally:
                scene.close()


@pytest.mark.fault(41)
def test_a_login_that_expires_is_renewed_and_one_that_is_revoked_stops_until_it_is_given_back(
    guarded: Scene, tokens: TokenServer
) -> None:
    scene = guarded
    (member,) = scene.running()
    work = scene.orders.work()
    with Steady(scene.ledger, work[:700], a_second=700 / (4 * TOKEN_SECONDS)) as sending:
        sending.join()
    scene.until_answered(700)
    renewed = tokens.given
    assert renewed >= 3
    tokens.is_revoked = True
    scene.until(lambda: tokens.refused > 0, "a token is refused", 30)
    member.wait_not_ready()
    scene.ledger.send(work[700:])
    scene.let_last(REVOKED_SECONDS)
    assert (scene.answered(), scene.letters()) == (700, 0)
    tokens.is_revoked = False
    scene.healed()
    member.wait_ready()
    scene.until_settled()
    assert scene.letters() == 0
    scene.check(90, renewed=renewed, refused=tokens.refused)

import asyncio
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import errors as kafka_errors

from bridge import connect, errors, settings
from bridge.connect.oauthbearer import TokenProvider
from bridge.settings import Settings
from tests.cli.command_line import CommandLine
from tests.connect import secured as servers
from tests.servers import ports
from tests.servers.fixtures import Kafka, Temporal


def loaded(**environment: str) -> Settings:
    return settings.load({"BRIDGE_CONNECT_TIMEOUT": "1"} | environment)


async def refusal(**environment: str) -> errors.BridgeError:
    begun = time.monotonic()
    with pytest.raises(errors.BridgeError) as caught:
        await connect.wait_for_kafka(loaded(**environment))
    assert time.monotonic() - begun < 5
    return caught.value


async def test_a_broker_that_answers_is_enough(kafka: Kafka) -> None:
    await connect.wait_for_kafka(loaded(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:1,{kafka.bootstrap}"))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nosuch.invalid:9092"])
async def test_a_kafka_that_is_away_is_named_with_the_variable(address: str) -> None:
    error = await refusal(KAFKA_BOOTSTRAP_SERVERS=address)
    assert error.exit_code == errors.ExitCode.CANNOT_CONNECT
    assert str(error).startswith(f"Kafka at {address} could not be reached within 1 s (")
    assert "correct KAFKA_BOOTSTRAP_SERVERS" in str(error)


async def test_a_server_that_never_answers_does_not_hang_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = await refusal(KAFKA_BOOTSTRAP_SERVERS=f"127.0.0.1:{silent.getsockname()[1]}")
    assert error.exit_code == errors.ExitCode.CANNOT_CONNECT
    assert "it does not answer" in str(error)


async def test_a_broker_that_comes_late_is_waited_for(secured: Kafka) -> None:
    environment = servers.environment(secured, servers.ANN, BRIDGE_CONNECT_TIMEOUT="60")
    await asyncio.to_thread(secured.stop)
    waiting = asyncio.create_task(connect.wait_for_kafka(loaded(**environment)))
    await asyncio.wait({waiting}, timeout=0.5)
    assert not waiting.done()
    await asyncio.to_thread(secured.start)
    await waiting
    await asyncio.to_thread(secured.wait_ready)


async def test_a_login_is_taken(secured: Kafka) -> None:
    await connect.wait_for_kafka(loaded(**servers.environment(secured, servers.ANN)))


async def test_a_wrong_password_is_the_configurations_fault_at_once(secured: Kafka) -> None:
    environment = servers.environment(secured, servers.ANN, KAFKA_SASL_PASSWORD="wr0ng", BRIDGE_CONNECT_TIMEOUT="30")
    error = await refusal(**environment)
    assert error.exit_code == errors.ExitCode.CONFIGURATION
    assert str(error).startswith(f"Kafka at {secured.bootstrap} refuses the login (")
    assert "wr0ng" not in str(error)


async def test_a_mechanism_that_the_broker_does_not_know_is_the_configurations_fault(secured: Kafka) -> None:
    environment = servers.environment(secured, servers.ANN, KAFKA_SASL_MECHANISM="SCRAM-SHA-512")
    assert (await refusal(**environment)).exit_code == errors.ExitCode.CONFIGURATION


async def test_a_login_where_none_is_taken_is_the_configurations_fault(kafka: Kafka) -> None:
    error = await refusal(**servers.environment(kafka, servers.ANN))
    assert error.exit_code == errors.ExitCode.CONFIGURATION
    assert "takes no login on this listener: correct KAFKA_SECURITY_PROTOCOL" in str(error)


@pytest.mark.parametrize(
    ("environment", "problems"),
    [
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SSL_CA_LOCATION": "/nosuch"},
            (
                "KAFKA_SECURITY_PROTOCOL is SASL_SSL: set KAFKA_SASL_MECHANISM too.",
                "KAFKA_SSL_CA_LOCATION names /nosuch, which cannot be used: [Errno 2] No such file or directory.",
            ),
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "OAUTHBEARER"},
            ("KAFKA_SASL_MECHANISM is OAUTHBEARER: set KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL too.",),
        ),
    ],
)
def test_settings_that_contradict_each_other_are_all_told(
    environment: dict[str, str], problems: tuple[str, ...]
) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        connect.kafka_options(loaded(**environment))
    assert caught.value.problems == problems


@pytest.fixture
def token_server() -> Iterator["http.server.HTTPServer"]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.server.asked += 1  # type: ignore[attr-defined]  # counted where the test sees it
            self.send_response(self.server.status)  # type: ignore[attr-defined]  # as above
            self.end_headers()
            self.wfile.write(b'{"access_token": "token-%d", "expires_in": 300}' % self.server.asked)  # type: ignore[attr-defined]  # as above

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server names it so
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.status = 0, 200  # type: ignore[attr-defined]  # as above
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def provider(server: "http.server.HTTPServer") -> TokenProvider:
    section = loaded(
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_MECHANISM="OAUTHBEARER",
        KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL=f"http://127.0.0.1:{server.server_port}/token",
    )
    found = connect.kafka_options(section)["sasl_oauth_token_provider"]
    assert isinstance(found, TokenProvider)
    return found


async def test_a_token_is_kept_while_it_is_good(token_server: "http.server.HTTPServer") -> None:
    tokens = provider(token_server)
    first, second = await asyncio.gather(tokens.token(), tokens.token())
    assert (first, second) == ("token-1", "token-1")


async def test_a_token_that_is_refused_is_a_refused_login(token_server: "http.server.HTTPServer") -> None:
    token_server.status = 401  # type: ignore[attr-defined]  # set by the fixture
    with pytest.raises(kafka_errors.AuthenticationFailedError, match="answers 401"):
        await provider(token_server).token()


def test_an_account_that_may_not_create_is_told_the_operators_command(
    secured: Kafka, temporal: Temporal, tmp_path: Path
) -> None:
    group = {"BRIDGE_GROUP_ID": "rights", "TEMPORAL_ADDRESS": temporal.address}
    ann = CommandLine(tmp_path, servers.environment(secured, servers.ANN, **group))
    refused = ann.run("setup", "apply")
    assert refused.code == 1
    assert "rights.feed: create topic, partitions=1 cleanup.policy=compact: refused: " in refused.err
    assert (
        f"kafka-topics.sh --bootstrap-server {secured.bootstrap} --create --if-not-exists --topic rights.feed "
        "--partitions 1 --config cleanup.policy=compact" in refused.err
    )


def test_an_account_that_may_not_create_goes_on_where_all_is_there(
    secured: Kafka, temporal: Temporal, tmp_path: Path
) -> None:
    group = {"BRIDGE_GROUP_ID": "made", "TEMPORAL_ADDRESS": temporal.address}
    admin = CommandLine(tmp_path, servers.environment(secured, servers.ADMIN, **group))
    assert admin.run("setup", "apply").code == 0
    bob = CommandLine(tmp_path, servers.environment(secured, servers.BOB, **group)).run("setup", "apply")
    assert bob.code == 0
    assert "made.feed: this account may not read its settings (DescribeConfigs); they are not checked." in bob.err


def test_a_session_that_kafka_does_not_take_is_the_configurations_fault(
    secured: Kafka, temporal: Temporal, tmp_path: Path
) -> None:
    group = {"BRIDGE_GROUP_ID": "hasty", "TEMPORAL_ADDRESS": temporal.address, "KAFKA_SESSION_TIMEOUT_MS": "3000"}
    admin = CommandLine(
        tmp_path, servers.environment(secured, servers.ADMIN, **group, BRIDGE_ADMIN_ADDRESS=f"127.0.0.1:{ports.free()}")
    )
    assert admin.run("setup", "apply").code == 0
    ended = admin.run("run")
    assert ended.code == 2, ended.err
    assert "takes no session of 3000 ms: correct KAFKA_SESSION_TIMEOUT_MS" in ended.err
    assert "Traceback" not in ended.err


def test_a_command_with_a_refused_login_ends_with_2(secured: Kafka, tmp_path: Path) -> None:
    ended = CommandLine(tmp_path, servers.environment(secured, servers.ANN, KAFKA_SASL_PASSWORD="wr0ng")).run("tail")
    assert (ended.code, ended.out) == (2, "")
    assert "refuses the login" in ended.err
    assert "Traceback" not in ended.err


async def test_a_broker_that_refuses_a_running_daemon_is_asked_why(secured: Kafka) -> None:
    told = {
        user: await connect.kafka_refusal(loaded(**servers.environment(secured, servers.ANN, KAFKA_SASL_PASSWORD=word)))
        for user, word in {"right": servers.password(servers.ANN), "wrong": "other"}.items()
    }
    assert told["right"] is None
    assert told["wrong"] is not None
    assert "refuses the login" in told["wrong"]
    assert await connect.kafka_refusal(loaded(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")) is None

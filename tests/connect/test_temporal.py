import os
import socket
import time
from pathlib import Path

import pytest

from bridge import connect, errors, settings
from bridge.settings import Settings
from tests.servers.fixtures import Temporal


def loaded(**environment: str) -> Settings:
    return settings.load({"BRIDGE_CONNECT_TIMEOUT": "1", "TEMPORAL_CONFIG_FILE": os.devnull} | environment)


async def refusal(**environment: str) -> errors.BridgeError:
    begun = time.monotonic()
    with pytest.raises(errors.BridgeError) as caught:
        await connect.temporal_client(loaded(**environment))
    assert time.monotonic() - begun < 5
    return caught.value


async def test_a_server_with_the_namespace_is_enough(temporal: Temporal) -> None:
    client = await connect.temporal_client(loaded(TEMPORAL_ADDRESS=temporal.address))
    assert client.namespace == "default"


async def test_an_unknown_namespace_is_the_configurations_fault_at_once(temporal: Temporal) -> None:
    error = await refusal(TEMPORAL_ADDRESS=temporal.address, TEMPORAL_NAMESPACE="nope", BRIDGE_CONNECT_TIMEOUT="30")
    assert error.exit_code == errors.ExitCode.CONFIGURATION
    assert str(error) == (
        f"Temporal at {temporal.address} has no namespace nope: "
        "correct TEMPORAL_NAMESPACE, or make it with `bridge setup apply`."
    )


async def test_the_setup_connects_without_the_namespace(temporal: Temporal) -> None:
    environment = {"TEMPORAL_ADDRESS": temporal.address, "TEMPORAL_NAMESPACE": "nope"}
    client = await connect.temporal_client(loaded(**environment), check_namespace=False)
    assert client.namespace == "nope"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nosuch.invalid:7233"])
async def test_a_temporal_that_is_away_is_named_with_the_variable(address: str) -> None:
    error = await refusal(TEMPORAL_ADDRESS=address)
    assert error.exit_code == errors.ExitCode.CANNOT_CONNECT
    assert str(error).startswith(f"Temporal at {address} could not be reached within 1 s (")
    assert "correct TEMPORAL_ADDRESS" in str(error)


async def test_a_server_that_never_answers_does_not_hang_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = await refusal(TEMPORAL_ADDRESS=f"127.0.0.1:{silent.getsockname()[1]}")
    assert error.exit_code == errors.ExitCode.CANNOT_CONNECT


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"TEMPORAL_ADDRESS": "http://127.0.0.1:7233"}, "TEMPORAL_ADDRESS is a URL: give HOST:PORT"),
        ({"TEMPORAL_ADDRESS": "a b"}, "TEMPORAL_ADDRESS a b is no HOST:PORT"),
        ({"TEMPORAL_PROFILE": "nosuch"}, "The TEMPORAL_* settings cannot be used: Profile 'nosuch' not found."),
        (
            {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "/nosuch.pem"},
            "TEMPORAL_TLS_* names /nosuch.pem, which cannot be read: No such file or directory.",
        ),
        ({"TEMPORAL_TLS_CLIENT_CERT_DATA": "x", "TEMPORAL_TLS_CLIENT_KEY_DATA": "x"}, "holds no PEM text"),
    ],
)
async def test_settings_that_cannot_be_used_are_the_configurations_fault(
    environment: dict[str, str], text: str
) -> None:
    error = await refusal(**environment)
    assert error.exit_code == errors.ExitCode.CONFIGURATION
    assert text in str(error)


async def test_a_key_in_a_file_reaches_the_client(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y\n")
    config = connect.temporal_config(loaded(TEMPORAL_API_KEY_FILE=str(tmp_path / "key")))
    assert config["api_key"] == "k3y"

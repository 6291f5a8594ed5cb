import socket

import pytest

from bridge import errors
from bridge.dev import ports


def test_every_taken_port_is_named_with_its_flag() -> None:
    with socket.create_server((ports.HOST, 0)) as one, socket.create_server(("", 0)) as other:
        first, second = one.getsockname()[1], other.getsockname()[1]
        with pytest.raises(errors.ConfigurationError) as refused:
            ports.check({"--kafka-port": first, "--smtp-port": second, "--ui-port": ports.free()})
    assert refused.value.problems == (
        f"port {first} is taken: stop what listens on it, or choose another with --kafka-port PORT",
        f"port {second} is taken: stop what listens on it, or choose another with --smtp-port PORT",
    )


def test_a_port_given_twice_is_named() -> None:
    port = ports.free()
    with pytest.raises(errors.ConfigurationError, match=f"--ui-port {port}: --admin-port has the same port"):
        ports.check({"--admin-port": port, "--ui-port": port})


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_named(port: int) -> None:
    with pytest.raises(errors.ConfigurationError, match=f"--ui-port {port}: give a port from 1 to 65535"):
        ports.check({"--ui-port": port})


def test_a_port_that_a_server_has_just_left_is_free() -> None:
    with socket.create_server((ports.HOST, 0)) as server, socket.create_connection(server.getsockname()) as client:
        port = server.getsockname()[1]
        accepted, _ = server.accept()
        accepted.close()  # the server's side closes first, and waits in TIME_WAIT
        assert client.recv(1) == b""
    ports.check({"--kafka-port": port})


def test_free_ports_are_none_that_outgoing_connections_get() -> None:
    assert ports.FREE_FROM <= ports.free() < ports.FREE_TO

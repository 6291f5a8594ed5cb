"""The proxy does to bytes what it says, and counts what it did."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.faults.proxy import Proxy

WITHIN = 5.0


@pytest.fixture
def echo() -> Iterator[str]:
    """Give the address of a server that answers with what it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                try:
                    while chunk := connection.recv(1024):
                        connection.sendall(chunk)
                except ConnectionError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(echo: str) -> Iterator[Proxy]:
    with Proxy(echo) as proxy:
        yield proxy


def connect(proxy: Proxy) -> socket.socket:
    host, port = proxy.address.split(":")
    return socket.create_connection((host, int(port)), WITHIN)


def test_bytes_pass_both_ways_and_are_counted(proxy: Proxy) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        assert connection.recv(10) == b"hello"
    assert (proxy.seen.requests, proxy.seen.answers, proxy.seen.connections) == (5, 5, 1)


def test_a_swallowed_answer_is_to_a_request_that_arrived(proxy: Proxy) -> None:
    proxy.faults.swallow_answers = True
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        wait(lambda: proxy.seen.swallowed_answers == 5)
    assert (proxy.seen.requests, proxy.seen.answers) == (5, 0)


def test_a_blackhole_swallows_requests(proxy: Proxy) -> None:
    proxy.blackhole()
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        wait(lambda: proxy.seen.swallowed_requests == 5)
    assert (proxy.seen.requests, proxy.seen.answers) == (0, 0)


def test_a_reset_breaks_what_is_open_and_heals_the_rest(proxy: Proxy) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        assert connection.recv(10) == b"hello"
        proxy.blackhole()
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    with connect(proxy) as connection:
        connection.sendall(b"again")
        assert connection.recv(10) == b"again"


def test_a_refusal_ends_the_connection(proxy: Proxy) -> None:
    proxy.faults.refuse = True
    with connect(proxy) as connection:
        assert connection.recv(10) == b""
    assert proxy.seen.refused == 1


def test_a_delay_holds_bytes_back(proxy: Proxy) -> None:
    proxy.faults.delay_seconds = 0.1
    with connect(proxy) as connection:
        began = time.monotonic()
        connection.sendall(b"hello")
        assert connection.recv(10) == b"hello"
    assert time.monotonic() - began >= 0.2


def test_a_cut_breaks_what_is_open_and_refuses_what_is_new_until_it_heals(proxy: Proxy) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        assert connection.recv(10) == b"hello"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(10)
    with connect(proxy) as connection:
        assert connection.recv(10) == b""
    proxy.reset()
    with connect(proxy) as connection:
        connection.sendall(b"again")
        assert connection.recv(10) == b"again"


def test_a_slow_link_takes_its_time_over_all_connections(proxy: Proxy) -> None:
    proxy.faults.bytes_a_second = 10_000
    with connect(proxy) as one, connect(proxy) as other:
        began = time.monotonic()
        for connection in (one, other):
            connection.sendall(bytes(1000))
        for connection in (one, other):
            left = 1000
            while left:
                left -= len(connection.recv(left))
    assert time.monotonic() - began >= 0.2


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

"""How the embedded stack's Temporal and daemon are told of each other."""

import socket
from pathlib import Path

from bridge.dev import callbacks, ports
from bridge.dev.folder import Folder
from bridge.dev.options import Options
from tests.servers import ports as given


def options(admin_port: int, smtp_port: int = 8025) -> Options:
    return Options(
        data=Path("d"),
        fresh=False,
        once=False,
        kafka_port=9092,
        temporal_port=7233,
        ui_port=8233,
        admin_port=admin_port,
        smtp_port=smtp_port,
    )


def port(folder: Path, chosen: Options) -> int:
    return int(callbacks.environment(chosen, Folder(folder, 0))["BRIDGE_CALLBACK_ADDRESS"].rpartition(":")[2])


def free_pair() -> int:
    """Return a free port whose next one is free too."""
    while ports.is_taken((first := given.free()) + 1):
        pass
    return first


def test_the_callback_port_is_the_one_after_the_admin_port(tmp_path: Path) -> None:
    admin = free_pair()
    assert port(tmp_path, options(admin)) == admin + 1


def test_a_port_that_is_taken_or_asked_for_is_left_to_its_owner(tmp_path: Path) -> None:
    admin = free_pair()
    assert port(tmp_path, options(admin, smtp_port=admin + 1)) != admin + 1
    with socket.create_server((ports.HOST, admin + 1)):
        assert port(tmp_path, options(admin)) != admin + 1


def test_the_secret_is_kept_with_the_runs_that_call_back_with_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path, 0)
    first = callbacks.environment(options(8088), folder)["BRIDGE_CALLBACK_SECRET"]
    folder.empty()
    assert callbacks.environment(options(8088), folder)["BRIDGE_CALLBACK_SECRET"] == first
    assert (len(first), folder.secret.stat().st_mode & 0o777) == (64, 0o600)

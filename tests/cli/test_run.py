"""What `bridge run` does for speed, without being asked."""

import json
import os
import subprocess
import sys
from types import CoroutineType
from typing import Any

import pytest
import uvloop
from temporalio.client import GrpcCompression

from bridge import cli, connect, interpreter, settings
from tests.servers.fixtures import Temporal

TUNED = """
import json, os, pathlib
from bridge import interpreter
interpreter.tune()
from temporalio.runtime import Runtime
Runtime.default()
clients = {int(task.name) for task in pathlib.Path("/proc/self/task").iterdir()} - {os.getpid()}
print(json.dumps([sorted(os.sched_getaffinity(thread)) for thread in (0, *clients)]), flush=True)
os._exit(0)
"""


def test_the_daemon_runs_on_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def noted(main: "CoroutineType[Any, Any, int]") -> int:
        ran.append(main.__qualname__)
        main.close()
        return 7

    monkeypatch.setattr(uvloop, "run", noted)
    monkeypatch.setattr(interpreter, "tune", lambda: ran.append("tune"))
    monkeypatch.setenv("BRIDGE_GROUP_ID", "g")
    assert (cli.execute(["run"]), ran) == (7, ["tune", "run"])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a thread's cores")
@pytest.mark.parametrize(("threads", "shares_cores"), [("", False), ("1", True)])
def test_the_temporal_client_has_one_core_unless_its_threads_were_set(threads: str, *, shares_cores: bool) -> None:
    env = {name: value for name, value in os.environ.items() if name != "TOKIO_WORKER_THREADS"}
    env |= {"TOKIO_WORKER_THREADS": threads} if threads else {}
    done = subprocess.run([sys.executable, "-c", TUNED], env=env, capture_output=True, text=True, check=True)
    ours, *clients = json.loads(done.stdout)
    assert ours == sorted(os.sched_getaffinity(0))
    assert clients
    assert all(cores == ours if shares_cores else len(cores) == 1 for cores in clients)


async def test_calls_to_temporal_are_not_compressed(temporal: Temporal) -> None:
    client = await connect.temporal_client(settings.load({"TEMPORAL_ADDRESS": temporal.address}))
    assert client.service_client.config.grpc_compression is GrpcCompression.NONE

"""The image alone, as docs/deploy.md runs it."""

import json
import subprocess

import pytest

from tests.compose.stack import ROOT, Compose
from tests.servers import contained

pytestmark = pytest.mark.timeout(600)

LOCKED = ("--rm", "--read-only", "--user", "65532", "--cap-drop", "ALL")
BYTES_MAX = 250_000_000


@pytest.fixture(scope="module")
def image(core: Compose) -> str:
    return f"kafka-temporal-bridge:{contained.version('BRIDGE_VERSION')}"


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", "run", *LOCKED, *words], capture_output=True, text=True, check=False)


def test_it_is_smaller_than_250_mb_and_says_what_it_is(image: str) -> None:
    asked = subprocess.run(["docker", "image", "inspect", image], capture_output=True, text=True, check=True)
    (found,) = json.loads(asked.stdout)
    assert found["Size"] < BYTES_MAX
    labels = found["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == contained.version("BRIDGE_VERSION")
    assert (len(found["RootFS"]["Layers"]), found["Config"]["User"]) == (1, "65532:65532")


def test_it_runs_read_only_without_rights(image: str) -> None:
    version = run(image, "--version")
    assert (version.returncode, version.stdout) == (0, f"{contained.version('BRIDGE_VERSION')}\n")


def test_it_has_no_shell(image: str) -> None:
    assert run("--entrypoint", "sh", image, "-c", "true").returncode == 127


def test_the_workers_can_print_an_invoice_in_it(image: str) -> None:
    script = "import workers.invoice.pdf, workers.main, bridge.app; print('loaded')"
    assert run("--entrypoint", "python", image, "-c", script).stdout == "loaded\n"


def test_a_daemon_that_is_told_to_stop_before_it_has_begun_leaves_at_once(image: str) -> None:
    started = subprocess.run(
        ["docker", "run", "--detach", *LOCKED[1:], image, "run"], capture_output=True, text=True, check=True
    )
    container = started.stdout.strip()
    try:
        # Takes as long as the first process needs to take signals at all.
        telling = ["docker", "exec", container, "python", "-c", "import os; os.kill(1, 15)"]
        subprocess.run(telling, check=False, capture_output=True)  # it goes with the first process, and tells so
        left = subprocess.run(["docker", "wait", container], capture_output=True, text=True, check=True, timeout=5)
        assert left.stdout == "0\n"
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)


def test_the_lock_is_what_it_is_built_from() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements/run.lock" in text

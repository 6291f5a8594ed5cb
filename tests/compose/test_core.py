"""compose's core as its users run it: up, the samples through it, a copy of the bridge killed, and down."""

import subprocess

import pytest

from tests.compose import rehearsing, stack
from tests.compose.stack import Compose

pytestmark = pytest.mark.timeout(600)  # the image is built first


async def test_the_samples_end_well(core: Compose) -> None:
    assert await rehearsing.play(core.bootstrap) == {}


def test_every_service_of_core_is_healthy_and_every_job_has_ended_well(core: Compose) -> None:
    found = {name: core.containers(name) for name in core("ps", "--all", "--services").split()}
    states = {
        name: {
            (one["State"]["Health"]["Status"] if one["State"]["Running"] else one["State"]["ExitCode"]) for one in each
        }
        for name, each in found.items()
    }
    jobs = {"temporal-schema", "temporal-namespace", "setup"}
    assert states == {name: {0} if name in jobs else {"healthy"} for name in found}
    assert len(found["bridge"]) == 2


def test_mails_are_files_of_the_volume(core: Compose) -> None:
    listing = "import pathlib; print([one.suffix for one in pathlib.Path('/mail').iterdir()])"
    assert ".eml" in core("exec", "-T", "mail", "python", "-c", listing)


async def test_a_killed_copy_of_the_bridge_is_not_missed(core: Compose) -> None:
    killed, left = (one["Id"] for one in core.containers("bridge"))
    core.kill(killed)
    try:
        assert await rehearsing.play(core.bootstrap) == {}
    finally:
        core.up()
    assert left in {one["Id"] for one in core.containers("bridge") if one["State"]["Running"]}


def test_a_copy_of_the_bridge_drains_at_docker_stop(core: Compose) -> None:
    (one, _) = core.containers("bridge")
    subprocess.run(["docker", "stop", one["Id"]], check=True, capture_output=True)
    stopped = next(each for each in core.containers("bridge") if each["Id"] == one["Id"])
    logged = subprocess.run(["docker", "logs", "--tail", "1", one["Id"]], check=True, capture_output=True, text=True)
    core.up()
    assert (stopped["State"]["ExitCode"], '"drained"' in logged.stderr) == (0, True)


def test_the_limits_and_rights_of_our_containers_are_small(core: Compose) -> None:
    for service in ("bridge", "workers", "mail"):
        for one in core.containers(service):
            host = one["HostConfig"]
            found = (host["ReadonlyRootfs"], host["CapDrop"], one["Config"]["User"], host["Memory"] > 0)
            assert found == (True, ["ALL"], "65532:65532", True), service


def test_each_copy_of_the_bridge_publishes_its_admin_port(core: Compose) -> None:
    first, last = core.env["BRIDGE_ADMIN_PORTS"].split("-")
    assert [stack.status(f"http://localhost:{port}/readyz") for port in (first, last)] == [200, 200]

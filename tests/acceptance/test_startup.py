"""How `bridge run` starts, refuses to start, answers and ends."""

import time

import pytest

from bridge.dev import processes
from tests.acceptance import commands, program
from tests.acceptance.conftest import Line
from tests.acceptance.program import Program
from tests.servers import ports

CONNECT_SECONDS = 3
START_SECONDS = 15  # of the interpreter and the imports, on a busy machine; half of the default connect time


def refused(line: Line, guard: processes.Guard, **changed: str) -> tuple[int, str]:
    """Run the daemon with other settings until it leaves; return its exit code and what it said."""
    admin = f"127.0.0.1:{ports.free()}"
    other = Program(guard, line.folder, line.env | {"BRIDGE_ADMIN_ADDRESS": admin} | changed, "run")
    return other.run(), other.text


def test_what_setup_has_not_made_is_named_with_the_command_that_makes_it(line: Line, guard: processes.Guard) -> None:
    code, said = refused(line, guard, BRIDGE_GROUP_ID="nobody")
    assert (code, "nobody.feed" in said, "bridge setup apply" in said) == (2, True, True), said
    assert "Traceback" not in said


@pytest.mark.parametrize("variable", ["KAFKA_BOOTSTRAP_SERVERS", "TEMPORAL_ADDRESS"])
def test_a_server_that_does_not_answer_ends_it_within_the_connect_time(
    line: Line, guard: processes.Guard, variable: str
) -> None:
    address = f"127.0.0.1:{ports.free()}"
    began = time.monotonic()
    code, said = refused(line, guard, **{variable: address, "BRIDGE_CONNECT_TIMEOUT": str(CONNECT_SECONDS)})
    assert (code, address in said, "Traceback" in said) == (3, True, False), said
    assert CONNECT_SECONDS <= time.monotonic() - began <= CONNECT_SECONDS + START_SECONDS


def test_an_unknown_namespace_is_refused(line: Line, guard: processes.Guard) -> None:
    code, said = refused(line, guard, TEMPORAL_NAMESPACE="nowhere")
    assert (code, "nowhere" in said, "Traceback" in said) == (2, True, False), said


def test_every_wrong_variable_is_named_at_once_with_the_nearest_known_one(line: Line, guard: processes.Guard) -> None:
    code, said = refused(line, guard, BRIDGE_GROUPID="x", WORKERS_SMTP_URI="x", BRIDGE_DRAIN_TIMEOUT="soon")
    names = ("BRIDGE_GROUPID", "BRIDGE_GROUP_ID", "WORKERS_SMTP_URI", "WORKERS_SMTP_URL", "BRIDGE_DRAIN_TIMEOUT")
    assert (code, [name for name in names if name not in said]) == (2, []), said
    assert "Traceback" not in said


def test_a_configuration_file_that_is_not_there_is_refused(line: Line, guard: processes.Guard) -> None:
    code, said = refused(line, guard, BRIDGE_CONFIG="nowhere.toml")
    assert (code, "nowhere.toml" in said) == (2, True), said


def test_health_readiness_and_metrics_answer(line: Line) -> None:
    number = commands.fresh("lead")
    line.producer.send(commands.lead(number))
    line.journal.one("lead.scored", key=number)
    assert [program.get(f"{line.admin}/{page}")[0] for page in ("healthz", "readyz", "metrics")] == [200, 200, 200]
    metrics = program.get(f"{line.admin}/metrics")[1]
    assert 'bridge_commands_total{outcome="accepted",topic="lead.score"}' in metrics


def test_sigterm_ends_an_idle_daemon_with_0_and_it_starts_again(line: Line) -> None:
    assert line.daemon.terminate() == 0, line.daemon.text
    assert program.get(f"{line.admin}/readyz")[0] == 0
    line.start_daemon()


def test_setup_applied_again_finds_nothing_to_do(line: Line, guard: processes.Guard) -> None:
    again = Program(guard, line.folder, line.env, "setup", "apply")
    assert again.run() == 0, again.text
    assert "create" not in again.text, again.text

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from bridge import cli
from bridge.telemetry.names import Log
from tests.cli.command_line import CommandLine, Ended

CONNECTING = (
    ("setup", "plan"),
    ("setup", "apply"),
    ("tail",),
    ("publish", "invoice.cancel"),
    ("dlq", "list"),
    ("dlq", "show", "invoice.cancel.dlq/0/0"),
    ("dlq", "replay", "--yes"),
    ("dlq", "discard", "--because", "old"),
    ("run",),
)
WITH_SUBCOMMANDS = {"setup": "apply", "dlq": "list", "config": "show", "export": "asyncapi"}


def run(line: CommandLine, words: tuple[str, ...]) -> Callable[..., Ended]:
    """Return how to run a command; the daemon is a process, as it changes the one that it runs in."""
    return line.run if words == ("run",) else line.here


def test_help_names_every_command_and_does_not_import_the_clients() -> None:
    look = "print({'aiokafka', 'temporalio'} & set(sys.modules))"
    script = f"import sys; from bridge import cli; cli.execute(['--help']); {look}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert [name for name, _, _ in cli.COMMANDS if f" {name} " not in done.stdout] == []


@pytest.mark.parametrize("name", [name for name, _, _ in cli.COMMANDS])
def test_the_help_of_each_command_has_examples(alone: CommandLine, name: str) -> None:
    words = [name, WITH_SUBCOMMANDS[name]] if name in WITH_SUBCOMMANDS else [name]
    ended = alone.here(*words, "--help")
    assert ended.code == 0
    assert f"bridge {' '.join(words)}" in ended.out.split("xample", 1)[1]


@pytest.mark.parametrize("words", [("nosuch",), ("publish",), ("tail", "-n", "0"), ("routes", "-o", "yaml")])
def test_wrong_usage_ends_with_2_and_a_word_on_stderr(alone: CommandLine, words: tuple[str, ...]) -> None:
    ended = alone.here(*words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err != ""


def test_what_has_a_place_is_no_flag(alone: CommandLine) -> None:
    ended = alone.here("publish", "--topic", "invoice.cancel")
    assert ended.code == 2
    assert "Unknown option: --topic" in ended.err


@pytest.mark.parametrize("words", CONNECTING)
def test_servers_that_are_away_end_it_with_3_and_no_traceback(alone: CommandLine, words: tuple[str, ...]) -> None:
    ended = run(alone, words)(*words, stdin=b'{"invoice_id": "I-1"}')
    assert (ended.code, ended.out) == (3, "")
    assert "could not be reached within 1 s" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("words", [*CONNECTING, ("config", "show"), ("config", "check"), ("routes",), ("doctor",)])
def test_wrong_settings_end_it_with_2_and_every_problem(alone: CommandLine, words: tuple[str, ...]) -> None:
    ended = run(alone, words)(*words, BRIDGE_CONFIG="/nosuch.toml", BRIDGE_GRUOP_ID="x")
    assert (ended.code, ended.out) == (2, "")
    problems = [
        "BRIDGE_CONFIG names /nosuch.toml, which is not there: correct it, or unset it.",
        "BRIDGE_GRUOP_ID is not a setting; did you mean BRIDGE_GROUP_ID?",
    ]
    told = ended.err.splitlines()[-2:]
    if words == ("run",):  # the daemon's are logs: nobody reads them as they come
        assert [json.loads(line)["event"] for line in told] == [Log.CANNOT_START] * 2
        assert [json.loads(line)["problem"] for line in told] == problems
    else:
        assert told == [f"bridge: {problem}" for problem in problems]


def test_config_show_tells_value_and_source_and_no_secret(alone: CommandLine) -> None:
    ended = alone.here("config", "show", "-o", "json", KAFKA_SASL_PASSWORD="s3cret")
    assert ended.code == 0
    assert {"name": "KAFKA_SASL_PASSWORD", "value": "***", "source": "environment"} in ended.rows
    assert {"name": "BRIDGE_GROUP_ID", "value": "bridge", "source": "default"} in ended.rows
    assert "s3cret" not in ended.out + ended.err


def test_config_check_is_quiet_on_stdout(alone: CommandLine) -> None:
    ended = alone.here("config", "check")
    assert (ended.code, ended.out) == (0, "")


def test_config_check_finds_a_file_that_cannot_be_used(alone: CommandLine) -> None:
    ended = alone.here("config", "check", KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_SSL_CA_LOCATION="/nosuch.pem")
    assert ended.code == 2
    assert "KAFKA_SSL_CA_LOCATION names /nosuch.pem" in ended.err


def test_a_warning_goes_to_stderr(alone: CommandLine) -> None:
    ended = alone.here("config", "check", KAFKA_TOPIC="x")
    assert ended.code == 0
    assert "warning: KAFKA_TOPIC is not a setting" in ended.err


def test_routes_show_each_command_of_the_domains_that_run(alone: CommandLine) -> None:
    (alone.folder / "bridge.toml").write_text('domains = ["lead"]')
    assert alone.here("routes", "-o", "json").rows == [
        {
            "command": "lead.score",
            "topic": "lead.score",
            "verb": "signal_with_start",
            "workflow": "LeadScoring",
            "task_queue": "leads",
            "signal": "score",
            "id": "lead-{lead_id}",
            "lifecycle": "lead.lifecycle",
            "rerun": "after_failure",
            "wait": 60,
            "update": None,
            "checker": "LeadScore",
            "argument": "event",
            "replies": "all",
            "result": False,
            "missing": "wait",
            "rate": None,
            "run_timeout": None,
            "namespace": None,
            "priority": None,
            "fairness_key": None,
        }
    ]


def test_a_table_has_no_colours_where_nobody_looks(alone: CommandLine) -> None:
    out = alone.here("routes").out
    assert out.splitlines()[0].split()[:3] == ["COMMAND", "TOPIC", "VERB"]
    assert "\x1b" not in out


def test_a_reader_that_has_enough_ends_it_quietly(alone: CommandLine) -> None:
    with alone.running("export", "asyncapi") as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.close()
        assert writer.stderr.read() == b""
        assert writer.wait(30) == cli.READER_GONE

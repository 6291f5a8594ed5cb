"""Whoever lacks what a server asks for is told so in one line, with the setting to correct."""

from pathlib import Path

import pytest

from bridge.dev import processes
from tests.acceptance import program
from tests.acceptance.program import Program
from tests.cli.command_line import CommandLine
from tests.servers import ports
from tests.wire import broker
from tests.wire.authority import Authority
from tests.wire.broker import Secured
from tests.wire.frontend import Frontend
from tests.wire.wired import Files

NOTHING = ""
OTHERS = "{others}"
WRONG = "wr0ng-s3cret"

Change = dict[str, str]

NO_KAFKA_CERTIFICATE: Change = dict.fromkeys(
    ("KAFKA_SSL_CERTIFICATE_LOCATION", "KAFKA_SSL_KEY_LOCATION", "KAFKA_SSL_KEY_PASSWORD_FILE"), NOTHING
)
NO_TEMPORAL_CERTIFICATE: Change = dict.fromkeys(
    ("TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH"), NOTHING
)
WRONG_PASSWORD: Change = {"KAFKA_SASL_PASSWORD_FILE": NOTHING, "KAFKA_SASL_PASSWORD": WRONG}

# What is changed, and the code and words that the refusal has.
AT_KAFKA: dict[str, tuple[Change, int, str]] = {
    "a wrong password for SCRAM": (WRONG_PASSWORD, 2, "KAFKA_SASL_PASSWORD"),
    "a wrong password for PLAIN": (WRONG_PASSWORD | {"KAFKA_SASL_MECHANISM": "PLAIN"}, 2, "KAFKA_SASL_PASSWORD"),
    "no certificate": (NO_KAFKA_CERTIFICATE, 2, "KAFKA_SSL_CERTIFICATE_LOCATION"),
    "a certificate of another CA": (
        NO_KAFKA_CERTIFICATE
        | {
            "KAFKA_SSL_CERTIFICATE_LOCATION": f"{OTHERS}/client.pem",
            "KAFKA_SSL_KEY_LOCATION": f"{OTHERS}/client.key",
        },
        2,
        "KAFKA_SSL_CERTIFICATE_LOCATION",
    ),
    "a server of a CA that is not trusted": ({"KAFKA_SSL_CA_LOCATION": f"{OTHERS}/ca.pem"}, 2, "KAFKA_SSL_CA_LOCATION"),
    "a private CA that nobody told of": ({"KAFKA_SSL_CA_LOCATION": NOTHING}, 2, "KAFKA_SSL_CA_LOCATION"),
    "a wrong password of the key": (
        {"KAFKA_SSL_KEY_PASSWORD_FILE": NOTHING, "KAFKA_SSL_KEY_PASSWORD": WRONG},
        2,
        "KAFKA_SSL_KEY_PASSWORD",
    ),
    # Nothing tells these from a server that is not well, so they are given the connect time.
    "no login": ({"KAFKA_SECURITY_PROTOCOL": "SSL"}, 3, "KAFKA_SECURITY_PROTOCOL"),
    "no TLS": ({"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, 3, "KAFKA_SECURITY_PROTOCOL"),
}
AT_TEMPORAL: dict[str, tuple[Change, int, str]] = {
    "no API key": ({"TEMPORAL_API_KEY_FILE": NOTHING}, 2, "TEMPORAL_API_KEY"),
    "a wrong API key": ({"TEMPORAL_API_KEY_FILE": NOTHING, "TEMPORAL_API_KEY": WRONG}, 2, "TEMPORAL_API_KEY"),
    "no certificate": (NO_TEMPORAL_CERTIFICATE, 2, "TEMPORAL_TLS_*"),
    "a certificate of another CA": (
        {
            "TEMPORAL_TLS_CLIENT_CERT_PATH": f"{OTHERS}/client.pem",
            "TEMPORAL_TLS_CLIENT_KEY_PATH": f"{OTHERS}/client.key",
        },
        2,
        "TEMPORAL_TLS_*",
    ),
    "a server of a CA that is not trusted": (
        {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": f"{OTHERS}/ca.pem"},
        2,
        "TEMPORAL_TLS_*",
    ),
}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a CA that nobody trusts."""
    folder = tmp_path_factory.mktemp("others")
    Authority(folder).client("client")
    return folder


@pytest.fixture
def environment(kafka: Secured, frontend: Frontend, files: Files, tmp_path: Path) -> dict[str, str]:
    database = {"WORKERS_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'workers.db'}"}
    ours = {"BRIDGE_CONNECT_TIMEOUT": "2", "BRIDGE_ADMIN_ADDRESS": f"127.0.0.1:{ports.free()}"}
    return files.environment(kafka, frontend) | database | ours


def changed(environment: dict[str, str], change: Change, others: Path) -> dict[str, str]:
    wanted = environment | {name: value.format(others=others) for name, value in change.items()}
    return {name: value for name, value in wanted.items() if value != NOTHING}


@pytest.mark.parametrize(("change", "code", "words"), AT_KAFKA.values(), ids=AT_KAFKA)
@pytest.mark.parametrize("command", [("tail",), ("publish", "lead.score", "-", "--no-check")], ids=" ".join)
def test_kafka_refuses_a_command(
    command: tuple[str, ...],
    change: Change,
    code: int,
    words: str,
    environment: dict[str, str],
    others: Path,
    tmp_path: Path,
) -> None:
    ended = CommandLine(tmp_path, changed(environment, change, others)).here(*command, stdin=b'{"lead_id": "1"}')

    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
    assert [secret for secret in (WRONG, broker.SCRAM_PASSWORD, "Traceback") if secret in ended.err] == []


@pytest.mark.parametrize(("change", "code", "words"), AT_TEMPORAL.values(), ids=AT_TEMPORAL)
def test_temporal_refuses_a_command(
    change: Change, code: int, words: str, environment: dict[str, str], others: Path, tmp_path: Path
) -> None:
    ended = CommandLine(tmp_path, changed(environment, change, others)).here("setup", "plan")

    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
    assert [secret for secret in (WRONG, "Traceback") if secret in ended.err] == []


@pytest.mark.parametrize("words", [("run",), ("worker",)], ids=" ".join)
@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param(WRONG_PASSWORD, "KAFKA_SASL_PASSWORD", id="a wrong password"),
        pytest.param(NO_KAFKA_CERTIFICATE, "KAFKA_SSL_CERTIFICATE_LOCATION", id="no certificate for Kafka"),
        pytest.param({"TEMPORAL_API_KEY_FILE": NOTHING}, "TEMPORAL_API_KEY", id="no API key"),
        pytest.param(NO_TEMPORAL_CERTIFICATE, "TEMPORAL_TLS_*", id="no certificate for Temporal"),
    ],
)
def test_daemon_and_workers_leave_with_2(
    words: tuple[str, ...],
    change: Change,
    named: str,
    environment: dict[str, str],
    others: Path,
    line: object,
    guard: processes.Guard,
    tmp_path: Path,
) -> None:
    refused = Program(guard, tmp_path, program.environment(**changed(environment, change, others)), *words)

    assert refused.run() == 2, refused.text
    assert named in refused.text
    assert [secret for secret in (WRONG, broker.SCRAM_PASSWORD, "Traceback") if secret in refused.text] == []


@pytest.mark.parametrize("mechanism", broker.MECHANISMS)
def test_each_mechanism_logs_in(
    mechanism: str, kafka: Secured, environment: dict[str, str], files: Files, tmp_path: Path
) -> None:
    plain = {"KAFKA_SASL_PASSWORD_FILE": NOTHING, "KAFKA_SASL_PASSWORD": broker.PLAIN_PASSWORD}
    change = NO_KAFKA_CERTIFICATE | {"KAFKA_SASL_MECHANISM": mechanism, "KAFKA_BOOTSTRAP_SERVERS": kafka.tls}
    wanted = changed(environment, change | (plain if mechanism == "PLAIN" else {}), tmp_path)

    ended = CommandLine(tmp_path, wanted).here("doctor", "-o", "json")

    assert ended.rows[0] | {"detail": ""} == {"status": "ok", "check": "kafka", "detail": "", "advice": ""}


def test_a_certificate_alone_is_enough_where_kafka_asks_for_nothing_else(
    kafka: Secured, environment: dict[str, str], tmp_path: Path
) -> None:
    change = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_BOOTSTRAP_SERVERS": kafka.certified}

    ended = CommandLine(tmp_path, changed(environment, change, tmp_path)).here("doctor", "-o", "json")

    assert ended.rows[0]["status"] == "ok", ended.rows[0]

"""What the workers are told."""

from datetime import timedelta
from pathlib import Path

import pytest

from workers import settings
from workers.errors import ConfigurationError
from workers.mail import MailServer


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, where no bridge.toml is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as refusal:
        settings.load(environment)
    return str(refusal.value).splitlines()


def test_without_any_setting_everything_is_on_this_machine() -> None:
    told = settings.load({})
    assert (told.temporal["target_host"], told.temporal["namespace"]) == ("localhost:7233", "default")
    assert told.kafka_options["bootstrap_servers"] == "localhost:9092"
    assert told.mail_server == MailServer("127.0.0.1", 8025)
    assert (told.connect_timeout, told.drain_timeout) == (timedelta(seconds=30), timedelta(seconds=20))


def test_the_environment_counts() -> None:
    told = settings.load(
        {
            "KAFKA_BOOTSTRAP_SERVERS": "kafka:9092",
            "TEMPORAL_ADDRESS": "temporal:7233",
            "TEMPORAL_NAMESPACE": "prod",
            "WORKERS_DATABASE_URL": "postgresql://ada:secret@db/bridge",
            "WORKERS_INVOICE_APPROVAL_OVER": "99.99",
            "BRIDGE_DRAIN_TIMEOUT": "7",
        }
    )
    assert (told.temporal["target_host"], told.temporal["namespace"]) == ("temporal:7233", "prod")
    assert told.database_url.render_as_string(hide_password=False) == "postgresql+psycopg://ada:secret@db/bridge"
    assert (str(told.workers.invoice_approval_over), told.drain_timeout) == ("99.99", timedelta(seconds=7))


def test_the_file_counts_where_the_environment_is_silent(elsewhere: Path) -> None:
    (elsewhere / "bridge.toml").write_text('domains = []\n[workers]\nsmtp_url = "smtp://mail:25"\n')
    assert settings.load({}).mail_server == MailServer("mail", 25)


def test_all_problems_of_all_sources_are_told_at_once(elsewhere: Path) -> None:
    (elsewhere / "bridge.toml").write_text("[workers]\nsmtp = 1\n")
    found = problems(
        {
            "WORKERS_FOO": "1",
            "WORKERS_DATABASE_URL": "mysql://a:secret@b/c",
            "WORKERS_SMTP_URL": "http://a:secret@b",
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "TEMPORAL_ADDRESS": "http://temporal",
        }
    )
    names = ("WORKERS_FOO", "WORKERS_DATABASE_URL", "WORKERS_SMTP_URL", "KAFKA_", "TEMPORAL_ADDRESS", "smtp in")
    assert [name for name in names if not any(name in problem for problem in found)] == []
    assert "secret" not in "".join(found)


def test_a_file_that_is_named_and_not_there_is_a_problem() -> None:
    assert problems({"BRIDGE_CONFIG": "nowhere.toml"}) == [
        "BRIDGE_CONFIG names nowhere.toml, which is not there: correct it, or unset it."
    ]


def test_a_file_that_is_no_toml_is_a_problem(elsewhere: Path) -> None:
    (elsewhere / "bridge.toml").write_text("workers")
    (problem,) = problems({})
    assert problem.startswith("bridge.toml is not TOML")


def test_secrets_do_not_show() -> None:
    told = settings.load(
        {
            "WORKERS_DATABASE_URL": "postgresql://ada:hunter2@db/bridge",
            "WORKERS_SMTP_URL": "smtp://ada:hunter2@mail",
            "TEMPORAL_API_KEY": "hunter2",
            "WORKERS_CONTENT_API_KEY": "hunter2",
        }
    )
    assert "hunter2" not in repr(told)


def test_an_unknown_name_of_kafka_s_is_a_warning() -> None:
    (warning,) = settings.load({"KAFKA_FOO": "1"}).warnings
    assert "KAFKA_FOO" in warning

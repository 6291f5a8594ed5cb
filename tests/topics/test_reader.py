from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from topics.environment import reader
from topics.environment.reader import Setting
from topics.environment.sections import BridgeSection, KafkaSection, WorkersSection

SECRET = "s3cret://not@shown?at=all"


def setting(settings: list[Setting], name: str) -> Setting:
    return next(found for found in settings if found.name == name)


def test_what_nobody_sets_is_its_default() -> None:
    reading = reader.read(BridgeSection, {})
    assert reading.section == BridgeSection()
    assert setting(reading.settings, "BRIDGE_GROUP_ID") == Setting("BRIDGE_GROUP_ID", "bridge", "default")


def test_an_empty_variable_counts_as_unset() -> None:
    reading = reader.read(BridgeSection, {"BRIDGE_GROUP_ID": ""})
    assert reading.section == BridgeSection()


@pytest.mark.parametrize(
    ("flags", "environment", "table", "expected"),
    [
        ({"group_id": "f"}, {"BRIDGE_GROUP_ID": "e"}, {"group_id": "t"}, ("f", "flag")),
        ({"group_id": None}, {"BRIDGE_GROUP_ID": "e"}, {"group_id": "t"}, ("e", "environment")),
        ({}, {}, {"group_id": "t"}, ("t", "prod.toml")),
    ],
)
def test_a_flag_goes_before_the_environment_and_that_before_the_file(
    flags: dict[str, str], environment: dict[str, str], table: dict[str, str], expected: tuple[str, str]
) -> None:
    found = setting(reader.read(BridgeSection, environment, table, flags, "prod.toml").settings, "BRIDGE_GROUP_ID")
    assert (found.value, found.source) == expected


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    reading = reader.read(BridgeSection, {"BRIDGE_GRUOP_ID": "x"})
    assert reading.problems == ["BRIDGE_GRUOP_ID is not a setting; did you mean BRIDGE_GROUP_ID?"]
    assert reading.section is None


def test_an_unknown_name_of_kafka_is_a_warning_as_other_programs_read_those_too() -> None:
    reading = reader.read(KafkaSection, {"KAFKA_BOOTSTRAP": "kafka:9092"})
    assert reading.warnings == ["KAFKA_BOOTSTRAP is not a setting; did you mean KAFKA_BOOTSTRAP_SERVERS?"]
    assert reading.section == KafkaSection()


@pytest.mark.parametrize(
    "name",
    [
        "BRIDGE_SERVICE_HOST",
        "BRIDGE_SERVICE_PORT",
        "BRIDGE_SERVICE_PORT_ADMIN",
        "BRIDGE_PORT",
        "BRIDGE_PORT_8088_TCP",
        "BRIDGE_PORT_8088_TCP_ADDR",
        "BRIDGE_ADMIN_SERVICE_HOST",
    ],
)
def test_names_that_kubernetes_sets_are_passed_over(name: str) -> None:
    assert reader.read(BridgeSection, {name: "tcp://10.0.0.1:8088"}).problems == []


def test_the_variable_that_names_the_file_is_known() -> None:
    assert reader.read(BridgeSection, {"BRIDGE_CONFIG": "x.toml"}).problems == []


def test_an_unknown_key_of_the_file_is_named_with_file_table_and_the_nearest_one() -> None:
    reading = reader.read(BridgeSection, {}, {"max_inflight": 1}, file="prod.toml")
    assert reading.problems == ["prod.toml: max_inflight in [bridge] is not a setting; did you mean max_in_flight?"]


def test_all_problems_are_told_at_once() -> None:
    environment = {
        "BRIDGE_SWEEP_INTERVAL": "soon",
        "BRIDGE_ADMIN_ADDRESS": "8088",
        "BRIDGE_MAX_IN_FLIGHT": "0",
        "BRIDGE_DRAIN_TIME": "1",
    }
    assert reader.read(BridgeSection, environment).problems == [
        "BRIDGE_DRAIN_TIME is not a setting; did you mean BRIDGE_DRAIN_TIMEOUT?",
        "BRIDGE_ADMIN_ADDRESS (from environment): give HOST:PORT, such as 127.0.0.1:9092.",
        "BRIDGE_SWEEP_INTERVAL (from environment): give a number of seconds, such as 5 or 0.5.",
        "BRIDGE_MAX_IN_FLIGHT (from environment): Input should be greater than or equal to 1.",
    ]


@pytest.mark.parametrize("value", ["inf", "nan", "-1", "0", "1e400", "x"])
def test_seconds_that_are_none_are_refused(value: str) -> None:
    assert len(reader.read(BridgeSection, {"BRIDGE_DRAIN_TIMEOUT": value}).problems) == 1


def test_a_list_where_seconds_belong_is_refused() -> None:
    assert len(reader.read(BridgeSection, {}, {"drain_timeout": [1]}).problems) == 1


def test_a_secret_can_be_a_file_whose_last_line_break_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p4ss\n")
    reading = reader.read(KafkaSection, {"KAFKA_SASL_PASSWORD_FILE": str(file)})
    assert reading.section is not None
    assert reading.section.sasl_password == SecretStr("p4ss")
    assert setting(reading.settings, "KAFKA_SASL_PASSWORD").source == f"file {file}"


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none"
    assert reader.read(KafkaSection, {"KAFKA_SASL_PASSWORD_FILE": str(file)}).problems == [
        f"KAFKA_SASL_PASSWORD_FILE names {file}, which cannot be read: No such file or directory."
    ]


def test_a_secret_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "binary"
    file.write_bytes(b"\xff\xfe")
    assert reader.read(KafkaSection, {"KAFKA_SASL_PASSWORD_FILE": str(file)}).problems == [
        f"KAFKA_SASL_PASSWORD_FILE names {file}, which cannot be read: it is not UTF-8 text."
    ]


def test_a_secret_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    environment = {"KAFKA_SASL_PASSWORD": "a", "KAFKA_SASL_PASSWORD_FILE": str(tmp_path)}
    assert reader.read(KafkaSection, environment).problems == [
        "KAFKA_SASL_PASSWORD and KAFKA_SASL_PASSWORD_FILE are both set: keep one of them."
    ]


def test_what_is_no_secret_has_no_file() -> None:
    assert reader.read(BridgeSection, {"BRIDGE_GROUP_ID_FILE": "/x"}).problems == [
        "BRIDGE_GROUP_ID_FILE is not a setting; did you mean BRIDGE_GROUP_ID?"
    ]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("smtp://mail:25", "smtp://mail:25"),
        ("smtp://ann:pw@mail:25", "smtp://***@mail:25"),
        ("postgresql://db/x?password=pw", "postgresql://db/x?***"),
        ("smtp://mail:25?from=ann@example.com", "smtp://mail:25?***"),
        ("https://ann:pw@h/x?key=a@b", "https://***@h/***?***"),
        ("https://hooks.example.com/services/T0/B0/key", "https://hooks.example.com/***"),
        ("https://hooks.example.com", "https://hooks.example.com"),
        ("smtp://ann:p?w@mail:25", "***"),
        ("sqlite+aiosqlite:////data/workers.db", "sqlite+aiosqlite:////data/workers.db"),
        ("pw", "***"),
    ],
)
def test_of_a_secret_url_only_what_is_secret_is_masked(url: str, shown: str) -> None:
    assert reader.show("database_url", SecretStr(url)) == shown


def test_a_password_that_looks_like_a_url_is_masked_whole() -> None:
    found = setting(reader.read(KafkaSection, {"KAFKA_SASL_PASSWORD": SECRET}).settings, "KAFKA_SASL_PASSWORD")
    assert found.value == "***"


def test_a_problem_does_not_show_the_value_as_it_may_be_a_secret_in_the_wrong_place() -> None:
    reading = reader.read(KafkaSection, {"KAFKA_SECURITY_PROTOCOL": SECRET, "KAFKA_BOOTSTRAP_SERVERS": SECRET})
    assert len(reading.problems) == 2
    assert SECRET not in " ".join(reading.problems)


def test_values_are_read_as_what_they_are() -> None:
    bridge = reader.read(BridgeSection, {"BRIDGE_SWEEP_INTERVAL": "0.5", "BRIDGE_REPLY_TOPICS": " a, b ,"}).section
    workers = reader.read(WorkersSection, {"WORKERS_INVOICE_APPROVAL_OVER": "99.95"}).section
    assert bridge is not None
    assert workers is not None
    assert bridge.sweep_interval == timedelta(milliseconds=500)
    assert bridge.reply_topics == ("a", "b")
    assert workers.invoice_approval_over == Decimal("99.95")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BRIDGE_REPLY_TOPICS", "my answers"),
        ("BRIDGE_CALLBACK_URL", "bridge:8089"),
        ("BRIDGE_CALLBACK_URL", "http://bridge:8089/callbacks"),
        ("BRIDGE_CALLBACK_URL", "http://bridge:8089?tenant=a"),
        ("BRIDGE_CALLBACK_URL", "http://bridge:8089#a"),
        ("BRIDGE_CALLBACK_URL", "http://:8089"),
    ],
)
def test_what_is_no_topic_or_no_base_url_is_refused(variable: str, value: str) -> None:
    (problem,) = reader.read(BridgeSection, {variable: value}).problems
    assert problem.startswith(f"{variable} (from environment): ")


@pytest.mark.parametrize(
    ("variable", "schemes"),
    [("WORKERS_SMTP_URL", "smtp:// or smtps://"), ("WORKERS_CHANNEL_SOCIAL_URL", "http:// or https://")],
)
def test_what_is_no_url_of_its_kind_is_refused_without_showing_it(variable: str, schemes: str) -> None:
    (problem,) = reader.read(WorkersSection, {variable: f"ftp://user:{SECRET}@host"}).problems
    assert problem == f"{variable} (from environment): give a URL that begins with {schemes}."


def test_a_base_url_with_a_password_is_refused_without_showing_it() -> None:
    (problem,) = reader.read(BridgeSection, {"BRIDGE_CALLBACK_URL": "http://user:hunter2@bridge:8089"}).problems
    assert "without user, password, path, query or fragment" in problem
    assert "hunter2" not in problem


def test_a_base_url_may_end_in_a_slash() -> None:
    bridge = reader.read(BridgeSection, {"BRIDGE_CALLBACK_URL": "http://bridge:8089/"}).section
    assert bridge is not None
    assert bridge.callback_url == "http://bridge:8089"


@pytest.mark.parametrize("servers", ["", "kafka", "kafka:port", "kafka:99999", "a:1,,b:2"])
def test_servers_that_are_no_addresses_are_refused(servers: str) -> None:
    assert len(reader.read(KafkaSection, {}, {"bootstrap_servers": servers}).problems) == 1

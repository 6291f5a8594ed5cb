"""What the workers are told: environment > `bridge.toml` > default, all problems reported at once."""

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig

from topics.environment import kafka, reader, temporal
from topics.environment.sections import BridgeSection, KafkaSection, Section, WorkersSection
from workers import converter, database
from workers.errors import ConfigurationError
from workers.mail import MailServer

CONFIG_VARIABLE = "BRIDGE_CONFIG"
ADDRESS_DEFAULT = "localhost:7233"
NAMESPACE_DEFAULT = "default"

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the workers are told, checked; secrets never show in its text."""

    kafka: KafkaSection
    kafka_options: Mapping[str, Any] = field(repr=False)
    temporal: ClientConnectConfig = field(repr=False)
    data_converter: DataConverter = field(repr=False)
    workers: WorkersSection
    database_url: URL
    mail_server: MailServer
    connect_timeout: timedelta
    drain_timeout: timedelta
    warnings: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What OTEL_* are read from, and TEMPORAL_*, again where a file may have been replaced."""


def load(environment: Mapping[str, str]) -> Settings:
    """Return the settings; raises `ConfigurationError` with every problem of every source."""
    problems: list[str] = []
    warnings: list[str] = []
    name, tables = _read_file(environment, problems)

    def section(model: type[reader.SectionType]) -> reader.SectionType:
        table = tables.get(_table_name(model), {})
        reading = reader.read(model, environment, table if isinstance(table, dict) else {}, file=name)
        problems.extend(reading.problems)
        warnings.extend(reading.warnings)
        # What was found wrong must not hide what is wrong elsewhere; where there are problems nothing of it is used.
        return reading.section or reader.read(model, _sound(model, environment, reading.refused)).section or model()

    kafka_section, bridge, workers = section(KafkaSection), section(BridgeSection), section(WorkersSection)
    kafka_options = _kafka_options(kafka_section, problems)
    environment = temporal.with_secrets(environment, problems)
    connect = _temporal(environment, problems)
    database_url = _parsed(
        database.parse_url, "WORKERS_DATABASE_URL", workers.database_url.get_secret_value(), problems
    )
    mail_server = _parsed(MailServer.parse, "WORKERS_SMTP_URL", workers.smtp_url.get_secret_value(), problems)
    if problems or connect is None or database_url is None or mail_server is None:
        raise ConfigurationError(*problems)
    return Settings(
        kafka=kafka_section,
        kafka_options=kafka_options,
        temporal=connect,
        data_converter=converter.made(bridge),
        workers=workers,
        database_url=database_url,
        mail_server=mail_server,
        connect_timeout=bridge.connect_timeout,
        drain_timeout=bridge.drain_timeout,
        warnings=tuple(warnings),
        environment=dict(environment),
    )


def _sound(model: type[Section], environment: Mapping[str, str], refused: Collection[str]) -> Mapping[str, str]:
    """Return the variables of `environment` that `model` has, and takes."""
    names = [reader.variable_name(model, name) for name in model.model_fields if name not in refused]
    return {name: environment[name] for name in names if name in environment}


def _read_file(environment: Mapping[str, str], problems: list[str]) -> tuple[str, dict[str, Any]]:
    named = environment.get(CONFIG_VARIABLE)
    name = named or reader.FILE_NAME
    try:
        return name, tomllib.loads(Path(name).read_bytes().decode())
    except FileNotFoundError:
        if named:
            problems.append(f"{CONFIG_VARIABLE} names {named}, which is not there: correct it, or unset it.")
    except OSError as error:
        problems.append(f"{name} cannot be read: {error.strerror}.")
    except (ValueError, RecursionError) as error:
        problems.append(f"{name} is not TOML: {error}.")
    return name, {}


def _kafka_options(section: KafkaSection, problems: list[str]) -> dict[str, Any]:
    try:
        return kafka.client_options(section)
    except ValueError as error:
        problems.extend(str(error).splitlines())
        return {}


def temporal_config(environment: Mapping[str, str]) -> ClientConnectConfig:
    """Return how to reach Temporal, as its files have it by now; raises `ConfigurationError`."""
    problems: list[str] = []
    config = _temporal(temporal.renewed(environment, problems), problems)
    if config is None or problems:
        raise ConfigurationError(*problems)
    return config


def _temporal(environment: Mapping[str, str], problems: list[str]) -> ClientConnectConfig | None:
    try:
        config = ClientConfigProfile.load(override_env_vars=dict(environment)).to_client_connect_config()
    except (OSError, RuntimeError, ValueError) as error:
        problems.append(f"The TEMPORAL_* settings cannot be used: {error}.")
        return None
    config.setdefault("target_host", ADDRESS_DEFAULT)
    config.setdefault("namespace", NAMESPACE_DEFAULT)
    if "://" in config["target_host"]:
        problems.append("TEMPORAL_ADDRESS is a URL: give HOST:PORT, such as localhost:7233.")
    return config


def _parsed(parse: Callable[[str], Parsed], variable: str, text: str, problems: list[str]) -> Parsed | None:
    try:
        return parse(text)
    except ValueError as error:
        problems.append(f"{variable}: {error}.")  # without the value, which may hold a password
        return None


def _table_name(section: type[Section]) -> str:
    return section.prefix.rstrip("_").lower()

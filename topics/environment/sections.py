"""Every variable of ours, a model a prefix: `KAFKA_*`, `BRIDGE_*`, `WORKERS_*`.

A field's variable is the prefix and the field's name in capitals; in `bridge.toml` it is the field's name in the
table named like the prefix. `TEMPORAL_*` is read by `temporalio.envconfig`, `OTEL_*` by the OpenTelemetry SDK.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr

from topics import sealing
from topics.fields import Number

GROUP_ID_CHARACTERS_MAX = 200  # `{group}.feed` is a topic: at most 249

_HTTP_URL = re.compile(r"https?://[^\s/]+\S*")
_BASE_URL = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\\]+)(:\d{1,5})?")
_TOPIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")  # as the broker has it


def _seconds(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    try:
        return timedelta(seconds=float(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("give a number of seconds, such as 5 or 0.5") from error


def _items(value: Any) -> Any:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


def _host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError("give HOST:PORT, such as 127.0.0.1:9092")
    return value


def _servers(value: str) -> str:
    for server in value.split(","):
        _host_and_port(server.strip())
    return value


def _http_url(value: str) -> str:
    if not _HTTP_URL.fullmatch(value):
        raise ValueError("give a URL that begins with http:// or https://")
    return value


def _begins_with(*schemes: str) -> Callable[[SecretStr], SecretStr]:
    known = re.compile(rf"({'|'.join(schemes)})://\S+")

    def check(value: SecretStr) -> SecretStr:
        if not known.fullmatch(value.get_secret_value()):
            raise ValueError(f"give a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    return check


def _without_path(value: str) -> str:
    base = value.rstrip("/")
    if not _BASE_URL.fullmatch(base):
        raise ValueError(
            "give the base URL, without user, password, path, query or fragment, such as https://bridge.example:8089"
        )
    return base


def _topic_names(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(_TOPIC_NAME.fullmatch, value)):
        raise ValueError("a topic's name has letters, digits, '.', '_' and '-', at most 249")
    return value


def _payload_keys(value: SecretStr) -> SecretStr:
    sealing.parse(value.get_secret_value())
    return value


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(_BASE_URL.fullmatch, value)):
        raise ValueError(
            "give origins as a browser sends them, such as https://temporal.example or http://localhost:8233"
        )
    return value


Seconds = Annotated[timedelta, BeforeValidator(_seconds), Field(gt=timedelta(0), le=timedelta(days=1))]
Items = Annotated[tuple[str, ...], BeforeValidator(_items)]
Address = Annotated[str, AfterValidator(_host_and_port)]
Servers = Annotated[str, AfterValidator(_servers)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
SecretHttpUrl = Annotated[SecretStr, AfterValidator(_begins_with("http", "https"))]
SmtpUrl = Annotated[SecretStr, AfterValidator(_begins_with("smtp", "smtps"))]
BaseUrl = Annotated[HttpUrl, AfterValidator(_without_path)]
PayloadKeys = Annotated[SecretStr, AfterValidator(_payload_keys)]
Origins = Annotated[Items, AfterValidator(_origins)]
TopicNames = Annotated[Items, AfterValidator(_topic_names), Field(min_length=1)]


class Section(BaseModel):
    """The variables of one prefix; those that hold a secret are `SecretStr`, and may be files (`NAME_FILE`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    prefix: ClassVar[str]
    unknown_is_error: ClassVar[bool] = True
    read_elsewhere: ClassVar[frozenset[str]] = frozenset()
    """Variables with this prefix that are no settings."""
    _files: dict[str, Path] = PrivateAttr(default_factory=dict)
    """Where secrets were read from, by field: a file may be replaced while the process runs."""


class KafkaSection(Section):
    """How to reach Kafka, by the names of its client properties."""

    prefix: ClassVar[str] = "KAFKA_"
    unknown_is_error: ClassVar[bool] = False  # other programs read KAFKA_ variables too

    bootstrap_servers: Servers = "localhost:9092"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_oauthbearer_token_endpoint_url: HttpUrl | None = None
    sasl_oauthbearer_client_id: str | None = None
    sasl_oauthbearer_client_secret: SecretStr | None = None
    sasl_oauthbearer_scope: str | None = None
    ssl_ca_location: Path | None = None
    ssl_certificate_location: Path | None = None
    ssl_key_location: Path | None = None
    ssl_key_password: SecretStr | None = None
    group_instance_id: str | None = None
    session_timeout_ms: Annotated[int, Field(ge=1000, le=300_000)] = 10_000


class BridgeSection(Section):
    """The daemon."""

    prefix: ClassVar[str] = "BRIDGE_"
    read_elsewhere: ClassVar[frozenset[str]] = frozenset({"BRIDGE_CONFIG"})  # names the file that settings come from

    group_id: Annotated[str, Field(pattern=rf"^[A-Za-z0-9._-]{{1,{GROUP_ID_CHARACTERS_MAX}}}$")] = "bridge"
    admin_address: Address = "127.0.0.1:8088"
    admin_token: SecretStr | None = None
    callback_url: BaseUrl | None = None
    callback_address: Address = "127.0.0.1:8089"
    callback_secret: SecretStr | None = None
    sweep_interval: Seconds = timedelta(seconds=5)
    connect_timeout: Seconds = timedelta(seconds=30)
    drain_timeout: Seconds = timedelta(seconds=20)
    max_in_flight: Count = 256
    max_waiting: Count = 10_000
    payload_keys: PayloadKeys | None = None
    codec_origins: Origins = ()
    reply_topics: TopicNames = ("bridge.replies",)

    def contradictions(self) -> list[str]:
        """Return what is wrong with variables that are right each by itself."""
        if self.callback_url is None or (self.callback_secret is not None and self.callback_secret.get_secret_value()):
            return []
        problem = "BRIDGE_CALLBACK_URL is set, and BRIDGE_CALLBACK_SECRET is not: anybody could call it. "
        return [
            problem + "Set the secret to a long random text (openssl rand -hex 32), the same for all processes of the "
            "group, or unset the URL."
        ]


class WorkersSection(Section):
    """The workers of the three domains."""

    prefix: ClassVar[str] = "WORKERS_"

    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///.bridge/workers.db")
    smtp_url: SmtpUrl = SecretStr("smtp://127.0.0.1:8025")
    content_url: SecretHttpUrl | None = None
    content_model: str | None = None
    content_api_key: SecretStr | None = None
    channel_search_url: SecretHttpUrl | None = None
    channel_social_url: SecretHttpUrl | None = None
    channel_display_url: SecretHttpUrl | None = None
    invoice_approval_over: Annotated[Number, Field(ge=0)] = Decimal(10000)

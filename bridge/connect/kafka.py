"""Reach Kafka."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import conn
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import ApiVersionRequest
from aiokafka.protocol.metadata import MetadataRequest

from bridge import errors
from bridge.connect import closedtransport, connection, renewedlogin, waiting
from bridge.connect.oauthbearer import TokenProvider
from bridge.settings import Settings
from topics.environment import kafka, tls

_LOGIN_REFUSED = (
    kafka_errors.AuthenticationFailedError,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.AuthenticationMethodNotSupported,
)
_AWAY = (OSError, kafka_errors.KafkaError, asyncio.IncompleteReadError)  # OSError holds TimeoutError too


def kafka_options(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments that every aiokafka client takes; raises `ConfigurationError`."""
    try:
        options = kafka.client_options(settings.kafka)
    except ValueError as error:
        raise errors.ConfigurationError(*str(error).splitlines()) from error
    closedtransport.install()
    if "sasl_plain_password" in options:
        renewedlogin.install()
    if options.get("sasl_mechanism") == "OAUTHBEARER":
        options["sasl_oauth_token_provider"] = TokenProvider(settings.kafka)
    return options


async def wait_for_kafka(settings: Settings) -> None:
    """Return once a broker answers at an address that the cluster advertises.

    Raises `ConnectError` after the connect time, `ConfigurationError` at once where the login or TLS is refused.
    """
    options = kafka_options(settings)
    servers = options.pop("bootstrap_servers")
    await waiting.within_connect_time(
        settings,
        lambda: _ask_brokers(servers, options),
        f"Kafka at {servers}",
        "KAFKA_BOOTSTRAP_SERVERS or KAFKA_SECURITY_PROTOCOL",
    )


async def kafka_refusal(settings: Settings) -> str | None:
    """Return why no broker lets us in, where a person must correct it: the clients log it at most, and go on trying."""
    try:
        options = kafka_options(settings)
        async with asyncio.timeout(waiting.ATTEMPT_TIMEOUT.total_seconds()):
            await _ask_brokers(options.pop("bootstrap_servers"), options)
    except errors.ConfigurationError as error:
        return str(error)
    except (waiting.AwayError, TimeoutError):
        return None
    return None


async def broker_apis(settings: Settings) -> dict[int, int]:
    """Return the newest version of each API that a broker speaks; raises as `wait_for_kafka` does."""
    options = kafka_options(settings)
    servers = options.pop("bootstrap_servers")

    async def ask() -> dict[int, int]:
        reasons = []
        for host, port, _ in conn.collect_hosts(servers):
            try:
                async with _broker(host, port, options) as broker:
                    answer = await broker.send(ApiVersionRequest())
                return {key: newest for key, _, newest in answer.api_versions}
            except _AWAY as error:
                _refuse_what_time_does_not_heal(error, f"{host}:{port}")
                reasons.append(f"{host}:{port}: {_reason(error)}")
        raise waiting.AwayError("; ".join(reasons))

    return await waiting.within_connect_time(settings, ask, f"Kafka at {servers}", "KAFKA_BOOTSTRAP_SERVERS")


@contextlib.asynccontextmanager
async def kafka_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Wait for Kafka, and hold an admin client; its requests are bounded by the connect time."""
    await wait_for_kafka(settings)
    milliseconds = int(settings.bridge.connect_timeout.total_seconds() * 1000)
    admin = AIOKafkaAdminClient(**kafka_options(settings), request_timeout_ms=milliseconds)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _ask_brokers(servers: str, options: dict[str, Any]) -> None:
    """Ask each of `servers` for the brokers until one of those answers; raises `AwayError`."""
    reasons = []
    hosts = conn.collect_hosts(servers)
    for host, port, _ in random.sample(hosts, len(hosts)):  # a silent one must not always come first
        where = f"{host}:{port}"
        try:
            async with _broker(host, port, options) as broker:
                metadata = await broker.send(MetadataRequest([]))
            for node in random.sample(metadata.brokers, len(metadata.brokers)):
                where = f"{node[1]}:{node[2]}, which {host}:{port} advertises"
                async with _broker(node[1], node[2], options):
                    return
            reasons.append(f"{where}: it knows no broker yet")
        except _AWAY as error:
            _refuse_what_time_does_not_heal(error, where)
            await _refuse_our_certificate(host, port, options)
            reasons.append(f"{where}: {_reason(error)}")
    raise waiting.AwayError("; ".join(reasons))


def _broker(
    host: str, port: int, options: dict[str, Any]
) -> contextlib.AbstractAsyncContextManager[conn.AIOKafkaConnection]:
    milliseconds = int(waiting.ATTEMPT_TIMEOUT.total_seconds() * 1000)
    return connection.opened(host, port, options | {"request_timeout_ms": milliseconds})


async def _refuse_our_certificate(host: str, port: int, options: dict[str, Any]) -> None:
    if "ssl_context" in options and (alert := await tls.alert(host, port, options["ssl_context"])) is not None:
        raise errors.ConfigurationError(
            f"Kafka at {host}:{port} does not take our certificate ({alert}): "
            "correct KAFKA_SSL_CERTIFICATE_LOCATION and KAFKA_SSL_KEY_LOCATION."
        )


def _refuse_what_time_does_not_heal(error: Exception, where: str) -> None:
    if isinstance(error, _LOGIN_REFUSED):
        raise errors.ConfigurationError(
            f"Kafka at {where} refuses the login ({error}): correct KAFKA_SASL_MECHANISM, and "
            "KAFKA_SASL_USERNAME with KAFKA_SASL_PASSWORD, or KAFKA_SASL_OAUTHBEARER_*."
        ) from error
    if isinstance(error, kafka_errors.IllegalSaslStateError):
        raise errors.ConfigurationError(
            f"Kafka at {where} takes no login on this listener: correct KAFKA_SECURITY_PROTOCOL or the address."
        ) from error
    if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        raise errors.ConfigurationError(
            f"TLS with Kafka at {where} fails ({_reason(error)}): "
            "correct KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_CA_LOCATION and KAFKA_SSL_CERTIFICATE_LOCATION."
        ) from error


def _reason(error: BaseException) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or str(error) or type(error).__name__

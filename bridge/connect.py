"""Reach Kafka and Temporal at start: wait within the connect time, and tell what a person must correct."""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import temporalio.api.workflowservice.v1 as workflowservice
from aiokafka import conn
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.metadata import MetadataRequest
from temporalio.client import Client, GrpcCompression
from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

from bridge import errors
from bridge.settings import Settings
from topics.environment import kafka

ATTEMPT_TIMEOUT = timedelta(seconds=5)
BACKOFF_FIRST = timedelta(milliseconds=100)
BACKOFF_MAX = timedelta(seconds=2)
TEMPORAL_ADDRESS_DEFAULT = "localhost:7233"
TEMPORAL_NAMESPACE_DEFAULT = "default"

_LOGIN_REFUSED = (
    kafka_errors.AuthenticationFailedError,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.AuthenticationMethodNotSupported,
)
_KAFKA_AWAY = (OSError, kafka_errors.KafkaError, asyncio.IncompleteReadError)  # OSError holds TimeoutError too
_TEMPORAL_REFUSES = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED)

Result = TypeVar("Result")


def kafka_options(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments that every aiokafka client takes; raises `ConfigurationError`."""
    try:
        return kafka.client_options(settings.kafka)
    except ValueError as error:
        raise errors.ConfigurationError(*str(error).splitlines()) from error


async def wait_for_kafka(settings: Settings) -> None:
    """Return once a broker answers at an address that the cluster advertises.

    Raises `ConnectError` after the connect time, `ConfigurationError` at once where the login or TLS is refused.
    """
    options = kafka_options(settings)
    servers = options.pop("bootstrap_servers")
    await _within_connect_time(
        settings, lambda: _ask_brokers(servers, options), f"Kafka at {servers}", "KAFKA_BOOTSTRAP_SERVERS"
    )


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


async def temporal_client(settings: Settings, *, check_namespace: bool = True) -> Client:
    """Return a client whose server answered; without `check_namespace` the namespace may be missing.

    Raises `ConnectError` after the connect time, `ConfigurationError` at once for an unknown namespace, a refused
    login, or a certificate that cannot be used.
    """
    config = temporal_config(settings)
    address, namespace = config["target_host"], config["namespace"]
    try:
        client = await Client.connect(
            **config, lazy=True, connect_timeout=ATTEMPT_TIMEOUT, grpc_compression=GrpcCompression.NONE
        )
    except (RuntimeError, ValueError) as error:
        raise errors.ConfigurationError(f"The Temporal settings for {address} cannot be used: {error}.") from error

    async def ask() -> None:
        service = client.workflow_service
        await service.get_system_info(workflowservice.GetSystemInfoRequest(), timeout=ATTEMPT_TIMEOUT)
        if check_namespace:  # a wrong token is refused only where a namespace is named
            request = workflowservice.DescribeNamespaceRequest(namespace=namespace)
            await service.describe_namespace(request, timeout=ATTEMPT_TIMEOUT)

    await _within_connect_time(
        settings, lambda: _explained(ask, address, namespace), f"Temporal at {address}", "TEMPORAL_ADDRESS"
    )
    return client


def temporal_config(settings: Settings) -> ClientConnectConfig:
    """Return what `TEMPORAL_*` (and a profile of Temporal's own file) say; raises `ConfigurationError`."""
    try:
        profile = ClientConfigProfile.load(override_env_vars=settings.environment)
        config = profile.to_client_connect_config()
    except OSError as error:
        raise errors.ConfigurationError(
            f"TEMPORAL_TLS_* names {error.filename}, which cannot be read: {error.strerror}."
        ) from error
    except (RuntimeError, ValueError) as error:
        raise errors.ConfigurationError(f"The TEMPORAL_* settings cannot be used: {error}.") from error
    config.setdefault("target_host", TEMPORAL_ADDRESS_DEFAULT)
    config.setdefault("namespace", TEMPORAL_NAMESPACE_DEFAULT)
    return config


async def _within_connect_time(
    settings: Settings, attempt: Callable[[], Awaitable[None]], what: str, variable: str
) -> None:
    backoff, last = BACKOFF_FIRST, ""
    seconds = settings.bridge.connect_timeout.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    async with asyncio.timeout(2 * ATTEMPT_TIMEOUT.total_seconds()):
                        return await attempt()
                except _AwayError as error:
                    last = str(error)
                except TimeoutError:
                    last = "it does not answer"
                await asyncio.sleep(backoff.total_seconds() * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
                backoff = min(backoff * 2, BACKOFF_MAX)
    except TimeoutError:
        raise errors.ConnectError(
            f"{what} could not be reached within {seconds:g} s ({last or 'it does not answer'}): "
            f"start it, or correct {variable}. BRIDGE_CONNECT_TIMEOUT sets how long to wait."
        ) from None


class _AwayError(Exception):
    """This attempt failed in a way that time may heal."""


async def _ask_brokers(servers: str, options: dict[str, Any]) -> None:
    """Ask each of `servers` for the brokers until one of those answers; raises `_AwayError`."""
    reasons = []
    for host, port, _ in conn.collect_hosts(servers):
        where = f"{host}:{port}"
        try:
            async with _broker(host, port, options) as connection:
                metadata = await connection.send(MetadataRequest([]))
            for node in random.sample(metadata.brokers, len(metadata.brokers)):
                where = f"{node[1]}:{node[2]}, which {host}:{port} advertises"
                async with _broker(node[1], node[2], options):
                    return
            reasons.append(f"{where}: it knows no broker yet")
        except _LOGIN_REFUSED as error:
            raise errors.ConfigurationError(
                f"Kafka at {where} refuses the login: {error}. "
                "Correct KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD."
            ) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            reasons.append(f"{where}: {_reason(error)}")
        except ssl.SSLError as error:
            raise errors.ConfigurationError(
                f"TLS with Kafka at {where} fails: {_reason(error)}. "
                "Correct KAFKA_SECURITY_PROTOCOL and KAFKA_SSL_CA_LOCATION."
            ) from error
        except _KAFKA_AWAY as error:
            reasons.append(f"{where}: {_reason(error)}")
    raise _AwayError("; ".join(reasons))


@contextlib.asynccontextmanager
async def _broker(host: str, port: int, options: dict[str, Any]) -> AsyncIterator[conn.AIOKafkaConnection]:
    # The connection itself, as the clients log a refused login and go on.
    milliseconds = int(ATTEMPT_TIMEOUT.total_seconds() * 1000)
    connection = await conn.create_conn(host, port, request_timeout_ms=milliseconds, **options)
    try:
        yield connection
    finally:
        connection.close()


async def _explained(ask: Callable[[], Awaitable[Result]], address: str, namespace: str) -> Result:
    """Ask Temporal; raises `ConfigurationError` for what a person must correct, else `_AwayError`."""
    try:
        return await ask()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise errors.ConfigurationError(
                f"Temporal at {address} has no namespace {namespace}: "
                "correct TEMPORAL_NAMESPACE, or make it with `bridge setup apply`."
            ) from error
        if error.status in _TEMPORAL_REFUSES:
            raise errors.ConfigurationError(
                f"Temporal at {address} refuses us in namespace {namespace} ({error.message}): "
                "correct TEMPORAL_API_KEY or TEMPORAL_TLS_*."
            ) from error
        raise _AwayError(error.message) from error
    except RuntimeError as error:  # how the client says that it cannot connect
        if "certificate" in str(error).lower():
            raise errors.ConfigurationError(
                f"TLS with Temporal at {address} fails: {error}. Correct TEMPORAL_TLS_*."
            ) from error
        raise _AwayError(str(error)) from error


def _reason(error: BaseException) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or str(error) or type(error).__name__

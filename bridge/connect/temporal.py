"""Reach Temporal."""

import asyncio
import re
from collections.abc import Collection

import temporalio.api.workflowservice.v1 as workflowservice
from temporalio.client import Client, GrpcCompression
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from bridge import errors, sealing
from bridge.connect import waiting
from bridge.settings import Settings
from topics.environment import temporal as environment_

ADDRESS_DEFAULT = "localhost:7233"
NAMESPACE_DEFAULT = "default"
PEM_BEGINS = b"-----BEGIN "

_REFUSALS = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED)
# The client tells what happened while connecting in the text of a RuntimeError alone.
_REFUSED_TEXT = re.compile(r"code: (PermissionDenied|Unauthenticated)")
_TLS_TEXT = re.compile(r"certificate|PrivateKey|fatal alert", re.IGNORECASE)
_REASON_TEXT = re.compile(r'(?:(?:message|error): "|InvalidCertificate\()([^")]+)')


async def temporal_client(settings: Settings, *, check_namespace: bool = True) -> Client:
    """Return a client whose server answered; without `check_namespace` the namespace may be missing.

    Raises `ConnectError` after the connect time, `ConfigurationError` at once for an unknown namespace, a refused
    login, or a certificate that cannot be used.
    """
    config = temporal_config(settings)
    address, namespace = config["target_host"], config["namespace"]
    client = await _unconnected(config, sealing.converter(settings.bridge))
    await waiting.within_connect_time(
        settings,
        lambda: _ask(client, address, namespace if check_namespace else None),
        f"Temporal at {address}",
        "TEMPORAL_ADDRESS or TEMPORAL_TLS_*",
    )
    return client


async def tried(config: ClientConnectConfig) -> Client:
    """Return a client whose server has answered, at once; raises `AwayError`, `ConfigurationError`, `TimeoutError`."""
    client = await _unconnected(config)
    async with asyncio.timeout(2 * waiting.ATTEMPT_TIMEOUT.total_seconds()):
        await _ask(client, config["target_host"], config["namespace"])
    return client


async def _unconnected(config: ClientConnectConfig, converter: DataConverter = DataConverter.default) -> Client:
    return await Client.connect(
        **config,
        data_converter=converter,
        lazy=True,
        connect_timeout=waiting.ATTEMPT_TIMEOUT,
        grpc_compression=GrpcCompression.NONE,
    )


def in_namespace(client: Client, name: str) -> Client:
    """Return a client of another namespace over the same connection."""
    if name == client.namespace:
        return client
    config = client.config()
    config["namespace"] = name
    return Client(**config)


def in_namespaces(client: Client, names: Collection[str]) -> tuple[Client, ...]:
    """Return the client itself, and one for each other namespace, over the same connection."""
    others = sorted(set(names) - {client.namespace})
    return (client, *(in_namespace(client, name) for name in others))


def temporal_config(settings: Settings) -> ClientConnectConfig:
    """Return what `TEMPORAL_*` (and a profile of Temporal's own file) say by now; raises `ConfigurationError`."""
    problems: list[str] = []
    environment = environment_.renewed(settings.environment, problems)
    if problems:
        raise errors.ConfigurationError(*problems)
    try:
        profile = ClientConfigProfile.load(override_env_vars=environment)
        config = profile.to_client_connect_config()
    except OSError as error:
        raise errors.ConfigurationError(
            f"TEMPORAL_TLS_* names {error.filename}, which cannot be read: {error.strerror}."
        ) from error
    except (RuntimeError, ValueError) as error:
        raise errors.ConfigurationError(f"The TEMPORAL_* settings cannot be used: {error}.") from error
    config.setdefault("target_host", ADDRESS_DEFAULT)
    config.setdefault("namespace", NAMESPACE_DEFAULT)
    _check(config)
    return config


def _check(config: ClientConnectConfig) -> None:
    problems = []
    if "://" in config["target_host"]:
        problems.append("TEMPORAL_ADDRESS is a URL: give HOST:PORT, such as localhost:7233.")
    tls = config.get("tls")
    if isinstance(tls, TLSConfig):
        files = {
            "TEMPORAL_TLS_SERVER_CA_CERT_*": tls.server_root_ca_cert,
            "TEMPORAL_TLS_CLIENT_CERT_*": tls.client_cert,
            "TEMPORAL_TLS_CLIENT_KEY_*": tls.client_private_key,
        }
        problems += [
            f"{name} holds no PEM text: give a file that has a line {PEM_BEGINS.decode()}...-----."
            for name, content in files.items()
            if content is not None and PEM_BEGINS not in content
        ]
    if problems:
        raise errors.ConfigurationError(*problems)


async def _ask(client: Client, address: str, namespace: str | None) -> None:
    """Ask Temporal; raises `ConfigurationError` for what a person must correct, else `AwayError`."""
    service, timeout = client.workflow_service, waiting.ATTEMPT_TIMEOUT
    try:
        await service.get_system_info(workflowservice.GetSystemInfoRequest(), timeout=timeout)
        if namespace is not None:  # a wrong token is refused only where a namespace is named
            request = workflowservice.DescribeNamespaceRequest(namespace=namespace)
            await service.describe_namespace(request, timeout=timeout)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise errors.ConfigurationError(
                f"Temporal at {address} has no namespace {namespace}: "
                "correct TEMPORAL_NAMESPACE, or make it with `bridge setup apply`."
            ) from error
        if error.status in _REFUSALS:
            raise _refused(address, error.message) from error
        raise waiting.AwayError(error.message) from error
    except ValueError as error:
        raise errors.ConfigurationError(f"TEMPORAL_ADDRESS {address} is no HOST:PORT: {error}.") from error
    except RuntimeError as error:
        text = str(error)
        reason = (_REASON_TEXT.findall(text) or [text])[-1]
        if _REFUSED_TEXT.search(text):
            raise _refused(address, reason) from error
        if _TLS_TEXT.search(text):
            raise errors.ConfigurationError(
                f"TLS with Temporal at {address} fails ({reason}): correct TEMPORAL_TLS_*."
            ) from error
        raise waiting.AwayError(reason) from error


def _refused(address: str, reason: str) -> errors.ConfigurationError:
    return errors.ConfigurationError(
        f"Temporal at {address} refuses us ({reason}): correct TEMPORAL_NAMESPACE, TEMPORAL_API_KEY or TEMPORAL_TLS_*."
    )

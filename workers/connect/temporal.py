"""Reach Temporal."""

import asyncio
import re

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.client import Client, GrpcCompression
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from workers.connect import waiting
from workers.errors import ConfigurationError
from workers.settings import Settings

_REFUSALS = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED)
# What happened while connecting stands in the text of a RuntimeError alone.
_REFUSED_TEXT = re.compile(
    r"code: (PermissionDenied|Unauthenticated)|certificate|PrivateKey|fatal alert", re.IGNORECASE
)
_REASON_TEXT = re.compile(r'(?:(?:message|error): "|InvalidCertificate\()([^")]+)')


async def connect(settings: Settings, runtime: Runtime) -> Client:
    """Return a client whose server answered and has the namespace.

    Raises `ConnectError` after the connect time, `ConfigurationError` at once where a person must correct something.
    """
    return await waiting.within(
        settings.connect_timeout,
        lambda: _connected(settings, settings.temporal, runtime),
        f"Temporal at {settings.temporal['target_host']}",
        "TEMPORAL_ADDRESS or TEMPORAL_TLS_*",
    )


async def tried(settings: Settings, config: ClientConnectConfig, runtime: Runtime) -> Client:
    """Return a client whose server has answered, at once; raises `AwayError`, `ConfigurationError`, `TimeoutError`."""
    async with asyncio.timeout(waiting.ATTEMPT_TIMEOUT.total_seconds()):
        return await _connected(settings, config, runtime)


async def _connected(settings: Settings, config: ClientConnectConfig, runtime: Runtime) -> Client:
    address, namespace = config["target_host"], config["namespace"]
    try:
        client = await Client.connect(
            **config,
            data_converter=settings.data_converter,
            runtime=runtime,
            grpc_compression=GrpcCompression.NONE,
        )
        # A wrong token is refused only where a namespace is named.
        await client.workflow_service.get_system_info(GetSystemInfoRequest())
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except RPCError as error:
        raise _judged(error, address, namespace) from error
    except ValueError as error:
        raise ConfigurationError(f"TEMPORAL_ADDRESS {address} is no HOST:PORT: {error}.") from error
    except RuntimeError as error:
        if _REFUSED_TEXT.search(str(error)):
            raise _refused(address, _reason(error)) from error
        raise waiting.AwayError(_reason(error)) from error
    return client


def _reason(error: RuntimeError) -> str:
    text = str(error).replace('\\"', '"')
    reasons: list[str] = _REASON_TEXT.findall(text)
    return reasons[-1] if reasons else text


def _judged(error: RPCError, address: str, namespace: str) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return ConfigurationError(
            f"Temporal at {address} has no namespace {namespace}: "
            "correct TEMPORAL_NAMESPACE, or make it with `bridge setup apply`."
        )
    if error.status in _REFUSALS:
        return _refused(address, error.message)
    return waiting.AwayError(error.message)


def _refused(address: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"Temporal at {address} refuses us ({reason}): correct TEMPORAL_NAMESPACE, TEMPORAL_API_KEY or TEMPORAL_TLS_*."
    )

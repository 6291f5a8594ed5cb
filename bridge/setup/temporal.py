"""The Temporal side of the set-up: the namespace, how long it keeps closed runs, and the search attributes."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import temporalio.api.operatorservice.v1 as operatorservice
import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bridge import errors, mark
from bridge.setup import steps

RETENTION = timedelta(days=7)  # a command finds what it did before for as long as its run is kept
CALL_TIMEOUT = timedelta(seconds=10)
USABLE_WITHIN = timedelta(seconds=90)  # a minute with Elasticsearch, 1-2 s with PostgreSQL
USABLE_POLL = timedelta(milliseconds=500)  # visibility takes ten calls a second

SEARCH_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {mark.GROUP_ATTRIBUTE: "Keyword", mark.IDS_ATTRIBUTE: "KeywordList"}
)

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
_MAY_NOT = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED)


async def plan(client: Client) -> steps.Plan:
    """Compare the namespace with what is wanted."""
    retention = await namespace_retention(client)
    if retention is None:
        attributes = tuple(steps.AddSearchAttribute(name, kind) for name, kind in SEARCH_ATTRIBUTES.items())
        return steps.Plan(steps=(steps.CreateNamespace(client.namespace, RETENTION), *attributes))
    found: list[steps.Step] = []
    if retention < RETENTION:
        found.append(steps.ExtendRetention(client.namespace, retention, RETENTION))
    there = await search_attributes(client)
    found += [steps.AddSearchAttribute(name, kind) for name, kind in SEARCH_ATTRIBUTES.items() if name not in there]
    conflicts = tuple(
        f"The search attribute {name} has the type {there[name]}, but {kind} is needed: "
        f"remove it (temporal operator search-attribute remove --name {name}), then run `bridge setup apply`."
        for name, kind in SEARCH_ATTRIBUTES.items()
        if there.get(name, kind) != kind
    )
    return steps.Plan(steps=tuple(found), conflicts=conflicts)


async def namespace_retention(client: Client) -> timedelta | None:
    """Return how long closed runs are kept; None where there is no such namespace."""
    request = workflowservice.DescribeNamespaceRequest(namespace=client.namespace)
    try:
        answer = await client.workflow_service.describe_namespace(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise _unexpected(error, client) from error
    return answer.config.workflow_execution_retention_ttl.ToTimedelta()


async def search_attributes(client: Client) -> dict[str, str]:
    """Return those of our search attributes that are there, with their types."""
    request = operatorservice.ListSearchAttributesRequest(namespace=client.namespace)
    try:
        answer = await client.operator_service.list_search_attributes(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return {}  # the namespace is so new that not every server knows it
        if error.status not in _MAY_NOT:
            raise _unexpected(error, client) from error
        # Temporal Cloud keeps that list from us; whether a query may name them tells as much.
        return {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if await _is_usable(client, (name,))}
    names = {number: name for name, number in _TYPES.items()}
    return {
        name: names.get(number, IndexedValueType.Name(number).removeprefix("INDEXED_VALUE_TYPE_").title())
        for name, number in answer.custom_attributes.items()
        if name in SEARCH_ATTRIBUTES
    }


async def missing_attributes(client: Client) -> set[str]:
    """Return those of our search attributes that are not there."""
    return SEARCH_ATTRIBUTES.keys() - (await search_attributes(client)).keys()


async def carry_out(client: Client, step: steps.TemporalStep) -> str | None:
    """Do one step; return why it was refused, if it was."""
    try:
        match step:
            case steps.CreateNamespace(name, retention):
                await _create_namespace(client, name, retention)
            case steps.ExtendRetention(name, _, retention):
                await _extend(client, name, retention)
            case steps.AddSearchAttribute(name, kind, _):
                await client.operator_service.add_search_attributes(
                    operatorservice.AddSearchAttributesRequest(
                        namespace=client.namespace, search_attributes={name: _TYPES[kind]}
                    ),
                    timeout=CALL_TIMEOUT,
                )
    except RPCError as error:
        return None if error.status is RPCStatusCode.ALREADY_EXISTS else error.message or error.status.name
    except TimeoutError:
        return "the servers do not know it yet"
    return None


async def wait_until_usable(client: Client) -> bool:
    """Return whether the search attributes can be used within the time that servers take to notice them."""
    try:
        async with asyncio.timeout(USABLE_WITHIN.total_seconds()):
            while not await _is_complete(client):  # noqa: ASYNC110 - servers tell nobody
                await asyncio.sleep(USABLE_POLL.total_seconds())
    except TimeoutError:
        return False
    return True


async def _create_namespace(client: Client, name: str, retention: timedelta) -> None:
    request = workflowservice.RegisterNamespaceRequest(
        namespace=name, workflow_execution_retention_period=_duration(retention)
    )
    await client.workflow_service.register_namespace(request, timeout=CALL_TIMEOUT)
    async with asyncio.timeout(USABLE_WITHIN.total_seconds()):
        while not await _is_known(client):  # noqa: ASYNC110 - its servers hear of it one after another, and tell nobody
            await asyncio.sleep(USABLE_POLL.total_seconds())


async def _extend(client: Client, name: str, retention: timedelta) -> None:
    config = NamespaceConfig(workflow_execution_retention_ttl=_duration(retention))
    request = workflowservice.UpdateNamespaceRequest(namespace=name, config=config)
    await client.workflow_service.update_namespace(request, timeout=CALL_TIMEOUT)


async def _is_known(client: Client) -> bool:
    # Describe reads the database and knows it at once; all else asks a list that is renewed every ten seconds.
    request = workflowservice.CountWorkflowExecutionsRequest(namespace=client.namespace)
    try:
        await client.workflow_service.count_workflow_executions(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _is_complete(client: Client) -> bool:
    # Both are asked: each may answer from a list that is older than what was just made, or deleted and made again.
    return not await missing_attributes(client) and await _is_usable(client, tuple(SEARCH_ATTRIBUTES))


async def _is_usable(client: Client, names: tuple[str, ...]) -> bool:
    query = " AND ".join(f"{name} = 'setup'" for name in names)
    request = workflowservice.CountWorkflowExecutionsRequest(namespace=client.namespace, query=query)
    try:
        await client.workflow_service.count_workflow_executions(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        if error.status in _MAY_NOT:
            raise _unexpected(error, client) from error
        return False
    return True


def _duration(value: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(value)
    return duration


def _unexpected(error: RPCError, client: Client) -> errors.BridgeError:
    where = f"Temporal's namespace {client.namespace}"
    if error.status in _MAY_NOT:
        return errors.ConfigurationError(
            f"{where} refuses us ({error.message}): correct TEMPORAL_API_KEY or TEMPORAL_TLS_*, or ask for the right."
        )
    return errors.ConnectError(f"{where} could not be asked ({error.message}): try again once the server is well.")

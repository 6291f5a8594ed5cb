"""Refusals of the real server, as the dispatcher tells them."""

import asyncio
import dataclasses
import json
import uuid

import pytest
import temporalio.api.workflowservice.v1 as workflowservice
from google.protobuf.duration_pb2 import Duration
from temporalio.client import Client

from bridge.dispatch import dispatcher
from bridge.dispatch.temporal import Temporal
from bridge.errors import ConfigurationError, TemporalAwayError
from bridge.outcome import Accepted, DeadLettered
from bridge.routes import Verb
from tests.engine import records
from tests.engine.temporal_side import Stage
from tests.servers import fixtures


async def test_an_unknown_namespace_is_the_configurations_fault(prepared: fixtures.Temporal, stage: Stage) -> None:
    client = await Client.connect(prepared.address, namespace="nowhere")
    with pytest.raises(ConfigurationError, match="nowhere"):
        await dispatcher.dispatch(Temporal(client, "g"), stage.command(Verb.START, "a"), fresh=True)


async def test_a_missing_search_attribute_is_the_configurations_fault(
    prepared: fixtures.Temporal, stage: Stage
) -> None:
    namespace = f"bare-{uuid.uuid4().hex[:8]}"
    await stage.client.workflow_service.register_namespace(
        workflowservice.RegisterNamespaceRequest(
            namespace=namespace, workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    client = await Client.connect(prepared.address, namespace=namespace)
    told = ""
    async with asyncio.timeout(30):
        while "search attribute" not in told:  # its servers hear of a namespace after a while
            with pytest.raises((ConfigurationError, TemporalAwayError)) as raised:
                await dispatcher.dispatch(Temporal(client, "g"), stage.command(Verb.START, "a"), fresh=True)
            told = str(raised.value)
    assert raised.type is ConfigurationError
    assert "Run `bridge setup apply`" in told


async def test_the_largest_record_that_we_take_is_taken_by_temporal(stage: Stage) -> None:
    event = {**records.ATTRIBUTES, "type": "engine.do", "note": "é" * 520_000, "data": {"id": stage.name}}
    place = records.record(json.dumps(event, ensure_ascii=False).encode(), records.STRUCTURED, topic=stage.topic)
    outcome = await stage.do(records.command(place, rows=[stage.route(Verb.START)]), fresh=True)
    assert isinstance(outcome, Accepted)


async def test_a_request_that_temporal_refuses_is_dead_lettered(stage: Stage) -> None:
    command = stage.command(Verb.START, "a")
    outcome = await stage.do(dataclasses.replace(command, route=dataclasses.replace(command.route, workflow="")))
    assert isinstance(outcome, DeadLettered)
    assert outcome.reason.value == "refused_by_temporal"


async def test_a_server_that_is_away_is_times_fault(stage: Stage) -> None:
    client = await Client.connect("127.0.0.1:1", lazy=True)
    with pytest.raises(TemporalAwayError):
        await dispatcher.dispatch(Temporal(client, "g"), stage.command(Verb.START, "a"), fresh=True)

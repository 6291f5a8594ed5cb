"""Both sides of the set-up together."""

import dataclasses
from collections.abc import AsyncIterator, Collection

from aiokafka.admin import AIOKafkaAdminClient
from temporalio.client import Client

from bridge import connect
from bridge.settings import Settings
from bridge.setup import kafka, leaders, steps, temporal


async def plan(settings: Settings, admin: AIOKafkaAdminClient, client: Client) -> steps.Plan:
    """Return what is missing; `client` may name a namespace that is not there."""
    plans = [await kafka.plan(settings, admin)]
    plans += [await _plan_namespace(each, client.namespace) for each in _clients(settings, client)]
    return steps.Plan(
        steps=tuple(step for each in plans for step in each.steps),
        conflicts=tuple(text for each in plans for text in each.conflicts),
        notes=tuple(text for each in plans for text in each.notes),
    )


async def apply(admin: AIOKafkaAdminClient, client: Client, wanted: steps.Plan) -> AsyncIterator[steps.Carried]:
    """Carry out a plan, and yield what became of each step.

    What another one did meanwhile counts as refused or done; planning again tells what is still missing.
    """
    for step in wanted.steps:
        if isinstance(step, steps.KafkaStep):
            yield steps.Carried(step, await kafka.carry_out(admin, step))
        else:
            theirs = connect.in_namespace(client, _namespace(step) or client.namespace)
            yield steps.Carried(step, await temporal.carry_out(theirs, step))


async def missing(settings: Settings, admin: AIOKafkaAdminClient, client: Client) -> list[str]:
    """Return what keeps the daemon from running, a text each."""
    topics = await kafka.missing_topics(settings, admin)
    problems = [f"The topic {topic.name} is missing." for topic in topics]
    for each in _clients(settings, client):
        there = await _plan_namespace(each, client.namespace)
        problems += [_missing(step) for step in there.steps if step.required]
        problems += there.conflicts
    return problems


async def wait_until_usable(
    settings: Settings, admin: AIOKafkaAdminClient, client: Client, made: Collection[steps.Step] = ()
) -> bool:
    """Return whether what is there, and what was just `made`, can be used once the servers have told each other."""
    clients = _clients(settings, client)
    attributes = {
        (step.namespace or client.namespace, step.name) for step in made if isinstance(step, steps.AddSearchAttribute)
    }
    for each in clients:
        if await temporal.namespace_retention(each) is None:
            return False
        # What was made is listed a while later; what was refused never is.
        if {(each.namespace, name) for name in await temporal.missing_attributes(each)} - attributes:
            return False
    topics = {topic.name for topic in kafka.wanted_topics(settings)}
    new = {step.name for step in made if isinstance(step, steps.CreateTopic)}
    usable = await leaders.wait_until_served(settings, admin, topics, new)
    return usable and all([await temporal.wait_until_usable(each) for each in clients])


def servers(settings: Settings) -> steps.Servers:
    """Return the addresses for the operator's commands."""
    config = connect.temporal_config(settings)
    return steps.Servers(settings.kafka.bootstrap_servers, config["target_host"], config["namespace"])


def _clients(settings: Settings, client: Client) -> tuple[Client, ...]:
    return connect.in_namespaces(client, settings.routes.namespaces)


async def _plan_namespace(client: Client, told: str) -> steps.Plan:
    """Plan one namespace; steps of another one than the daemon is told say which."""
    plan = await temporal.plan(client)
    if client.namespace == told:
        return plan
    named = (
        dataclasses.replace(step, namespace=client.namespace) if isinstance(step, steps.AddSearchAttribute) else step
        for step in plan.steps
    )
    return dataclasses.replace(plan, steps=tuple(named))


def _namespace(step: steps.TemporalStep) -> str | None:
    return step.namespace if isinstance(step, steps.AddSearchAttribute) else step.name


def _missing(step: steps.Step) -> str:
    if isinstance(step, steps.AddSearchAttribute):
        where = f" in the namespace {step.namespace}" if step.namespace is not None else ""
        return f"The search attribute {step.name} is missing{where}."
    return f"The Temporal namespace {step.name} is missing."

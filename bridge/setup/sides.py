"""Both sides of the set-up together."""

from collections.abc import AsyncIterator, Collection

from aiokafka.admin import AIOKafkaAdminClient
from temporalio.client import Client

from bridge import connect
from bridge.settings import Settings
from bridge.setup import kafka, steps, temporal


async def plan(settings: Settings, admin: AIOKafkaAdminClient, client: Client) -> steps.Plan:
    """Return what is missing; `client` may name a namespace that is not there."""
    ours, theirs = await kafka.plan(settings, admin), await temporal.plan(client)
    return steps.Plan(
        steps=ours.steps + theirs.steps,
        conflicts=ours.conflicts + theirs.conflicts,
        notes=ours.notes + theirs.notes,
    )


async def apply(admin: AIOKafkaAdminClient, client: Client, wanted: steps.Plan) -> AsyncIterator[steps.Carried]:
    """Carry out a plan, and yield what became of each step.

    What another one did meanwhile counts as refused or done; planning again tells what is still missing.
    """
    for step in wanted.steps:
        if isinstance(step, steps.KafkaStep):
            yield steps.Carried(step, await kafka.carry_out(admin, step))
        else:
            yield steps.Carried(step, await temporal.carry_out(client, step))


async def missing(settings: Settings, admin: AIOKafkaAdminClient, client: Client) -> list[str]:
    """Return what keeps the daemon from running, a text each."""
    there = await temporal.plan(client)
    topics = await kafka.missing_topics(settings, admin)
    return [
        *(f"The topic {topic.name} is missing." for topic in topics),
        *(_missing(step) for step in there.steps if step.required),
        *there.conflicts,
    ]


async def wait_until_usable(
    settings: Settings, admin: AIOKafkaAdminClient, client: Client, made: Collection[steps.Step] = ()
) -> bool:
    """Return whether what is there, and what was just `made`, can be used once the servers have told each other."""
    if await temporal.namespace_retention(client) is None or await temporal.missing_attributes(client):
        return False
    topics = {step.name for step in made if isinstance(step, steps.CreateTopic)}
    return await kafka.wait_for_leaders(settings, admin, topics) and await temporal.wait_until_usable(client)


def servers(settings: Settings) -> steps.Servers:
    """Return the addresses for the operator's commands."""
    config = connect.temporal_config(settings)
    return steps.Servers(settings.kafka.bootstrap_servers, config["target_host"], config["namespace"])


def _missing(step: steps.Step) -> str:
    kind = "Temporal namespace" if isinstance(step, steps.CreateNamespace) else "search attribute"
    return f"The {kind} {step.name} is missing."

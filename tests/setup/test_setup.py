import asyncio
import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import temporalio.api.operatorservice.v1 as operatorservice
import temporalio.api.workflowservice.v1 as workflowservice
from aiokafka.admin import AIOKafkaAdminClient
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.client import Client

from bridge import setup
from bridge.setup import kafka, leaders, steps, temporal
from bridge.setup.steps import (
    AddPartitions,
    AddSearchAttribute,
    Carried,
    CreateNamespace,
    CreateTopic,
    ExtendRetention,
    Plan,
    StrengthenTopic,
)
from tests.servers import topics
from tests.setup.conftest import Site
from topics import spec

DAY = timedelta(days=1)


async def applied(site: Site, admin: AIOKafkaAdminClient, client: Client) -> list[Carried]:
    plan = await setup.plan(site.settings, admin, client)
    carried = [each async for each in setup.apply(admin, client, plan)]
    made = [each.step for each in carried if each.refusal is None]
    assert await setup.wait_until_usable(site.settings, admin, client, made)
    return carried


def about(plan: Plan, name: str) -> list[steps.Step]:
    return [step for step in plan.steps if step.name == name]


async def make_namespace(client: Client, retention: timedelta) -> None:
    period = Duration()
    period.FromTimedelta(retention)
    await client.workflow_service.register_namespace(
        workflowservice.RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=period)
    )


async def test_what_is_missing_is_planned_and_named(site: Site) -> None:
    async with site.open() as (admin, client):
        plan = await setup.plan(site.settings, admin, client)
        missing = await setup.missing(site.settings, admin, client)
    group = site.settings.bridge.group_id
    assert about(plan, f"{group}.feed") == [CreateTopic(spec.feed_topic(group))]
    assert about(plan, site.reply_topic) == [CreateTopic(spec.reply_topic(site.reply_topic))]
    assert plan.steps[-3:] == (
        CreateNamespace(client.namespace, 7 * DAY),
        AddSearchAttribute("BridgeGroup", "Keyword"),
        AddSearchAttribute("BridgeIds", "KeywordList"),
    )
    assert f"The topic {group}.feed is missing." in missing
    assert missing[-3:] == [
        f"The Temporal namespace {client.namespace} is missing.",
        "The search attribute BridgeGroup is missing.",
        "The search attribute BridgeIds is missing.",
    ]


async def test_after_apply_nothing_is_missing_and_topics_are_as_the_table_says(site: Site) -> None:
    async with site.open() as (admin, client):
        carried = await applied(site, admin, client)
        assert [each for each in carried if each.refusal is not None] == []
        assert await setup.plan(site.settings, admin, client) == Plan()
        assert await setup.missing(site.settings, admin, client) == []
        counts = await kafka.partition_counts(admin)
        configs = await kafka.topic_configs(admin, ["invoice.process"])
        retention = await temporal.namespace_retention(client)
    assert (counts["invoice.process"], counts[f"{site.settings.bridge.group_id}.feed"]) == (6, 1)
    assert configs["invoice.process"]["message.timestamp.type"] == "LogAppendTime"
    assert configs["invoice.process"]["max.message.bytes"] == str(1024 * 1024 + 64 * 1024)
    assert retention == 7 * DAY


async def test_two_at_once_do_no_harm(site: Site) -> None:
    async with site.open() as (admin, client):
        plan = await setup.plan(site.settings, admin, client)

        async def carry_out() -> None:
            async for _ in setup.apply(admin, client, plan):
                pass

        await asyncio.gather(carry_out(), carry_out())
        assert await setup.wait_until_usable(site.settings, admin, client, plan.steps)
        assert await setup.plan(site.settings, admin, client) == Plan()


class Ahead:
    """Metadata that name a topic, its partition and the leader before that one serves it, as brokers do."""

    def __init__(self, name: str) -> None:
        self._described = {"topic": name, "error_code": 0, "partitions": [{"partition": 0, "leader": 1}]}

    async def describe_topics(self) -> list[dict[str, Any]]:
        return [self._described]


async def test_a_topic_that_was_made_is_waited_for_until_its_leader_serves_it(site: Site) -> None:
    name = site.reply_topic
    admin: Any = Ahead(name)
    waiting = asyncio.create_task(leaders.wait_until_served(site.settings, admin, [name], [name]))
    await asyncio.wait({waiting}, timeout=1)
    assert not waiting.done()
    await make_topic(site, name, 1)
    assert await waiting


async def test_a_leader_that_never_serves_is_told_after_the_connect_time(site: Site) -> None:
    admin: Any = Ahead(site.reply_topic)
    bridge = site.settings.bridge.model_copy(update={"connect_timeout": timedelta(seconds=1)})
    impatient = dataclasses.replace(site.settings, bridge=bridge)
    assert not await leaders.wait_until_served(impatient, admin, [site.reply_topic])


async def make_topic(site: Site, name: str, partitions: int, **config: str) -> None:
    bootstrap = site.settings.kafka.bootstrap_servers
    settings = {key.replace("_", "."): value for key, value in config.items()}
    await asyncio.to_thread(topics.make, bootstrap, name, partitions=partitions, config=settings)


async def test_partitions_are_added_and_never_taken_away(site: Site) -> None:
    wanted = spec.reply_topic(site.reply_topic)
    feed = f"{site.settings.bridge.group_id}.feed"
    async with site.open() as (admin, client):
        await make_topic(site, site.reply_topic, 2)
        await make_topic(site, feed, 3, cleanup_policy="compact")
        plan = await setup.plan(site.settings, admin, client)
        assert about(plan, site.reply_topic) == [AddPartitions(wanted, 2)]
        assert about(plan, feed) == []
        await applied(site, admin, client)
        counts = await kafka.partition_counts(admin)
    assert (counts[site.reply_topic], counts[feed]) == (6, 3)


async def test_a_weaker_setting_is_raised_and_the_others_stay(site: Site) -> None:
    async with site.open() as (admin, client):
        await make_topic(site, site.reply_topic, 6, retention_ms="1000", segment_ms="123456")
        plan = await setup.plan(site.settings, admin, client)
        wanted = spec.reply_topic(site.reply_topic)
        assert about(plan, site.reply_topic) == [StrengthenTopic(wanted, (("retention.ms", "1000", "604800000"),))]
        await applied(site, admin, client)
        config = (await kafka.topic_configs(admin, [site.reply_topic]))[site.reply_topic]
    assert (config["retention.ms"], config["segment.ms"]) == ("604800000", "123456")


async def test_a_stronger_setting_stays(site: Site) -> None:
    async with site.open() as (admin, client):
        await make_topic(site, site.reply_topic, 6, retention_ms="-1")
        plan = await setup.plan(site.settings, admin, client)
    assert about(plan, site.reply_topic) == []


async def test_another_cleanup_is_told_and_left(site: Site) -> None:
    async with site.open() as (admin, client):
        await make_topic(site, site.reply_topic, 6, cleanup_policy="compact", retention_ms="-1")
        plan = await setup.plan(site.settings, admin, client)
        await applied(site, admin, client)
        config = (await kafka.topic_configs(admin, [site.reply_topic]))[site.reply_topic]
    assert about(plan, site.reply_topic) == []
    assert [note for note in plan.notes if note.startswith(f"{site.reply_topic}: cleanup.policy is compact")] != []
    assert config["cleanup.policy"] == "compact"


async def test_an_attribute_that_is_listed_late_is_waited_for_only_where_it_was_made(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = (
        {"BridgeGroup": "Keyword"},
        {"BridgeGroup": "Keyword"},
        {"BridgeGroup": "Keyword", "BridgeIds": "KeywordList"},
    )
    async with site.open() as (admin, client):
        await applied(site, admin, client)
        for made, usable in ((steps.AddSearchAttribute("BridgeIds", "KeywordList"),), True), ((), False):
            answers = iter(late)

            async def listed(_: Client, answers: Iterator[dict[str, str]] = answers) -> dict[str, str]:
                return next(answers)

            monkeypatch.setattr(temporal, "search_attributes", listed)
            assert await setup.wait_until_usable(site.settings, admin, client, made) is usable


async def test_retention_is_extended(site: Site) -> None:
    async with site.open() as (admin, client):
        await make_namespace(client, DAY)
        plan = await setup.plan(site.settings, admin, client)
        assert ExtendRetention(client.namespace, DAY, 7 * DAY) in plan.steps
        await applied(site, admin, client)
        assert await temporal.namespace_retention(client) == 7 * DAY


async def test_longer_retention_stays(site: Site) -> None:
    async with site.open() as (admin, client):
        await make_namespace(client, 30 * DAY)
        await applied(site, admin, client)
        assert await temporal.namespace_retention(client) == 30 * DAY


async def test_a_search_attribute_of_another_type_is_a_conflict(site: Site) -> None:
    async with site.open() as (admin, client):
        await applied(site, admin, client)
        service = client.operator_service
        await service.remove_search_attributes(
            operatorservice.RemoveSearchAttributesRequest(namespace=client.namespace, search_attributes=["BridgeIds"])
        )
        await service.add_search_attributes(
            operatorservice.AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={"BridgeIds": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
            )
        )
        plan = await setup.plan(site.settings, admin, client)
        missing = await setup.missing(site.settings, admin, client)
    assert plan.steps == ()
    assert missing == list(plan.conflicts)
    assert missing[0].startswith("The search attribute BridgeIds has the type Keyword, but KeywordList is needed: ")


def test_a_command_topic_without_the_brokers_time_is_weaker() -> None:
    topic = spec.command_topic("invoice.process")
    config = {**topic.config, "message.timestamp.type": "CreateTime"}
    assert kafka.weaker(topic, config) == (("message.timestamp.type", "CreateTime", "LogAppendTime"),)


def test_each_step_tells_an_operator_what_to_run() -> None:
    servers = steps.Servers("kafka:9092", "temporal:7233", "ns")
    topic = spec.reply_topic("a.replies")
    assert [
        CreateTopic(topic).command(servers),
        AddPartitions(topic, 1).command(servers),
        StrengthenTopic(topic, (("retention.ms", "1", "2"),)).command(servers),
        CreateNamespace("ns", 7 * DAY).command(servers),
        ExtendRetention("ns", DAY, 7 * DAY).command(servers),
        AddSearchAttribute("BridgeIds", "KeywordList").command(servers),
    ] == [
        (
            "kafka-topics.sh --bootstrap-server kafka:9092 --create --if-not-exists --topic a.replies --partitions 6"
            " --config cleanup.policy=delete --config retention.ms=604800000"
        ),
        "kafka-topics.sh --bootstrap-server kafka:9092 --alter --topic a.replies --partitions 6",
        (
            "kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name a.replies"
            " --add-config retention.ms=2"
        ),
        "temporal operator namespace create --address temporal:7233 --namespace ns --retention 7d",
        "temporal operator namespace update --address temporal:7233 --namespace ns --retention 7d",
        (
            "temporal operator search-attribute create --address temporal:7233 --namespace ns --name BridgeIds"
            " --type KeywordList"
        ),
    ]

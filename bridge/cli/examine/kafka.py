"""Kafka: reachable, which version, the topics and their settings, the consumer group."""

from bridge import connect
from bridge.cli.examine import group
from bridge.cli.examine.finding import Finding, fail, ok, warn
from bridge.settings import Settings
from bridge.setup import kafka
from bridge.setup.steps import AddPartitions, CreateTopic, Plan, StrengthenTopic

CHECK = "kafka"
TOPICS_CHECK = "topics"
APPLY = "Run `bridge setup apply`."

FETCH_API = 1
# The protocol does not tell the version; each of these raised the version of Fetch (its KIP says when).
_RELEASES = {18: "4.1", 17: "3.9", 16: "3.7", 15: "3.5", 13: "3.1", 12: "2.7", 11: "2.3"}


async def examine(settings: Settings) -> list[Finding]:
    """Ask the brokers, compare the topics with the table, and look at the group."""
    apis = await connect.broker_apis(settings)
    async with connect.kafka_admin(settings) as admin:
        cluster = await admin.describe_cluster()
        plan = await kafka.plan(settings, admin)
        members = await group.examine(settings, admin, await kafka.partition_counts(admin))
    brokers = len(cluster["brokers"])
    servers = settings.kafka.bootstrap_servers
    return [ok(CHECK, f"{servers}, {brokers} broker(s), {release(apis)}"), *_topics(settings, plan), *members]


def release(apis: dict[int, int]) -> str:
    """Return the release that speaks these APIs, as near as they tell."""
    newest = apis.get(FETCH_API, 0)
    known = next((name for version, name in _RELEASES.items() if newest >= version), None)
    return f"Kafka {known} or later" if known else "Kafka older than 2.3"


def _topics(settings: Settings, plan: Plan) -> list[Finding]:
    findings = [
        _finding(step) for step in plan.steps if isinstance(step, CreateTopic | AddPartitions | StrengthenTopic)
    ]
    findings += [warn(TOPICS_CHECK, note, "") for note in plan.notes]
    wanted = len(kafka.wanted_topics(settings))
    return findings or [ok(TOPICS_CHECK, f"all {wanted} are there, with the settings of the table")]


def _finding(step: CreateTopic | AddPartitions | StrengthenTopic) -> Finding:
    if isinstance(step, CreateTopic):
        return fail(TOPICS_CHECK, f"{step.name} is missing", APPLY)
    return warn(TOPICS_CHECK, f"{step.name}: {step.action}", APPLY)

"""What a Kafka that is not ours must be like: the tests have sessions of 3 s, and mistype topics."""

from collections.abc import Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]  # not marked as exported

ASK_SECONDS = 10.0
SESSION_MS_MAX = 3000
SESSION = "group.min.session.timeout.ms"
AUTOMATIC = "auto.create.topics.enable"


def unfit(bootstrap: str) -> str | None:
    """Say why the tests cannot run on this Kafka."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        broker = ConfigResource(ResourceType.BROKER, str(next(iter(admin.list_topics(timeout=ASK_SECONDS).brokers))))
        entries = admin.describe_configs([broker])[broker].result(ASK_SECONDS)
    except KafkaException as error:
        return f"--servers=external: Kafka at {bootstrap} does not answer ({error.args[0].str()}): start it."
    wrong = problems({name: entry.value for name, entry in entries.items()})
    return f"--servers=external: give Kafka at {bootstrap} {' and '.join(wrong)}, and start it anew." if wrong else None


def problems(settings: Mapping[str, str]) -> list[str]:
    """Return the settings that a broker needs and has not."""
    found = [f"{SESSION}=1000"] if int(settings[SESSION]) > SESSION_MS_MAX else []
    return found + ([f"{AUTOMATIC}=false"] if settings[AUTOMATIC] == "true" else [])

"""A Kafka that asks who one is: SASL PLAIN, and rights by access lists."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public there, but not marked as exported
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

import bridge.dev.kafka
from bridge.dev import processes
from tests.servers.fixtures import Kafka

ADMIN, ANN, BOB = "admin", "ann", "bob"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def password(user: str) -> str:
    return f"{user}-s3cret"


SETTINGS = {
    "listener.security.protocol.map": "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": " ".join(
        (
            LOGIN,
            f'username="{ADMIN}" password="{password(ADMIN)}"',
            *(f'user_{user}="{password(user)}"' for user in (ADMIN, ANN, BOB)),
            ";",
        )
    ),
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "group.min.session.timeout.ms": "6000",  # as in production
    "super.users": f"User:{ADMIN};User:ANONYMOUS",  # nobody logs in on the controller's listener
}


def environment(kafka: Kafka, user: str, **more: str) -> dict[str, str]:
    """Return the settings of a user."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": user,
        "KAFKA_SASL_PASSWORD": password(user),
    } | more


@pytest.fixture(scope="package")
def secured(guard: processes.Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Give such a Kafka; Bob may see every topic."""
    folder: Path = tmp_path_factory.mktemp("secured")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge.dev.kafka, "SETTINGS", {**bridge.dev.kafka.SETTINGS, **SETTINGS})
        kafka = Kafka(guard, folder)
    kafka.start()
    kafka.wait_ready()
    let_see_topics(kafka, BOB)
    yield kafka
    kafka.stop()


def let_see_topics(kafka: Kafka, user: str) -> None:
    admin = AdminClient(
        {
            "bootstrap.servers": kafka.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": ADMIN,
            "sasl.password": password(ADMIN),
        }
    )
    right = AclBinding(
        ResourceType.TOPIC,
        "*",
        ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation.DESCRIBE,
        AclPermissionType.ALLOW,
    )
    for made in admin.create_acls([right]).values():
        made.result(20)

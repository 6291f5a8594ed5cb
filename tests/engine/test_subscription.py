"""The consumer logs in as every other client of ours does."""

import ssl
from typing import Any

import pytest
from aiokafka.abc import AbstractTokenProvider

from bridge.intake import subscription
from topics.environment import kafka
from topics.environment.sections import KafkaSection

LOGIN = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")


class Provider(AbstractTokenProvider):
    async def token(self) -> str:
        return "token"


def login(section: KafkaSection, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what every client is told, and what the consumer is told."""
    wanted = {**kafka.client_options(section), **more}
    told = subscription.broker(section, wanted)._connection_kwargs
    return wanted, told


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL"])
async def test_the_consumer_connects_without_a_login(protocol: Any) -> None:
    wanted, told = login(KafkaSection(security_protocol=protocol))
    assert told.get("security_protocol", "PLAINTEXT") == wanted["security_protocol"]


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_the_consumer_logs_in_by_password(protocol: Any, mechanism: Any) -> None:
    section = KafkaSection.model_validate(
        {"security_protocol": protocol, "sasl_mechanism": mechanism, "sasl_username": "u", "sasl_password": "p"}
    )
    wanted, told = login(section)
    assert {name: told[name] for name in LOGIN} == {name: wanted[name] for name in LOGIN}


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
async def test_the_consumer_logs_in_by_token(protocol: Any) -> None:
    section = KafkaSection(
        security_protocol=protocol,
        sasl_mechanism="OAUTHBEARER",
        sasl_oauthbearer_token_endpoint_url="http://127.0.0.1:1/token",
    )
    provider = Provider()
    _, told = login(section, sasl_oauth_token_provider=provider)
    assert (told["security_protocol"], told["sasl_mechanism"]) == (protocol, "OAUTHBEARER")
    assert told["sasl_oauth_token_provider"] is provider


async def test_the_consumer_uses_the_clients_certificates() -> None:
    context = ssl.create_default_context()
    _, told = login(KafkaSection(security_protocol="SSL"), ssl_context=context)
    assert told["ssl_context"] is context

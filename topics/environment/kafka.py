"""Turn the `KAFKA_*` settings into the keyword arguments of an aiokafka client."""

from typing import Any

from topics.environment import tls
from topics.environment.passwords import Password
from topics.environment.sections import KafkaSection


def client_options(section: KafkaSection) -> dict[str, Any]:
    """Return `bootstrap_servers` and the security options that every client takes.

    Raises `ValueError`, with all problems a line each, where settings contradict each other or a file cannot be used.
    """
    problems: list[str] = []
    options: dict[str, Any] = {
        "bootstrap_servers": section.bootstrap_servers,
        "security_protocol": section.security_protocol,
    }
    if section.security_protocol.startswith("SASL"):
        options |= _sasl(section, problems)
    if section.security_protocol.endswith("SSL"):
        try:
            options["ssl_context"] = tls.kafka_context(section)
        except ValueError as error:
            problems += str(error).splitlines()
    if problems:
        raise ValueError("\n".join(problems))
    return options


def _sasl(section: KafkaSection, problems: list[str]) -> dict[str, Any]:
    if section.sasl_mechanism is None:
        problems.append(f"KAFKA_SECURITY_PROTOCOL is {section.security_protocol}: set KAFKA_SASL_MECHANISM too.")
        return {}
    if section.sasl_mechanism == "OAUTHBEARER":
        if section.sasl_oauthbearer_token_endpoint_url is None:
            problems.append("KAFKA_SASL_MECHANISM is OAUTHBEARER: set KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL too.")
        return {"sasl_mechanism": section.sasl_mechanism}
    if section.sasl_username is None or section.sasl_password is None:
        problems.append(
            f"KAFKA_SASL_MECHANISM is {section.sasl_mechanism}: set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD too."
        )
        return {}
    return {
        "sasl_mechanism": section.sasl_mechanism,
        "sasl_plain_username": section.sasl_username,
        "sasl_plain_password": Password.of(section),
    }

"""Turn the `KAFKA_*` settings into the keyword arguments of an aiokafka client."""

import ssl
from typing import Any

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
        options["ssl_context"] = _ssl_context(section, problems)
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
        "sasl_plain_password": section.sasl_password.get_secret_value(),
    }


def _ssl_context(section: KafkaSection, problems: list[str]) -> ssl.SSLContext | None:
    try:
        context = ssl.create_default_context(cafile=section.ssl_ca_location)
    except (OSError, ssl.SSLError) as error:
        problems.append(f"KAFKA_SSL_CA_LOCATION names {section.ssl_ca_location}, which cannot be used: {error}.")
        return None
    if section.ssl_certificate_location is not None:
        password = section.ssl_key_password.get_secret_value() if section.ssl_key_password else ""
        try:
            context.load_cert_chain(section.ssl_certificate_location, section.ssl_key_location, password)
        except (OSError, ssl.SSLError) as error:
            problems.append(
                f"KAFKA_SSL_CERTIFICATE_LOCATION names {section.ssl_certificate_location}, "
                f"which cannot be used with its key: {error}."
            )
    return context

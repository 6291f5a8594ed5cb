"""Reach Kafka."""

import ssl
from typing import Any

from aiokafka import abc, client, conn
from aiokafka import errors as kafka_errors

from topics.environment import oauth, tls
from topics.environment.passwords import Password
from topics.environment.sections import KafkaSection
from workers.connect import connection, waiting
from workers.errors import ConfigurationError
from workers.sdk.emitter import EmitError
from workers.sdk.kafka import KafkaEmitter
from workers.settings import Settings

_LOGIN_REFUSED = (
    kafka_errors.AuthenticationFailedError,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.IllegalSaslStateError,
)


class TokenProvider(abc.AbstractTokenProvider):
    """Gives the producer a token that has not expired, asked of the server that KAFKA_SASL_OAUTHBEARER_* name."""

    def __init__(self, section: KafkaSection) -> None:
        """Take the settings."""
        self._tokens = oauth.Tokens(section)

    async def token(self) -> str:
        """Return a token; raises aiokafka's errors, as its clients know what to do about them."""
        try:
            return await self._tokens.current()
        except oauth.RefusedError as error:
            raise kafka_errors.AuthenticationFailedError(str(error)) from error
        except OSError as error:
            raise kafka_errors.KafkaConnectionError(str(error)) from error


async def connect(settings: Settings) -> KafkaEmitter:
    """Return a connected emitter, for the caller to leave.

    Raises `ConnectError` after the connect time, `ConfigurationError` at once where the login is refused.
    """
    options = dict(settings.kafka_options)
    if "sasl_plain_password" in options:
        client.create_conn = _create_conn  # type: ignore[attr-defined]  # it imports it, and says not so
    if options.get("sasl_mechanism") == "OAUTHBEARER":
        options["sasl_oauth_token_provider"] = TokenProvider(settings.kafka)

    async def attempt() -> KafkaEmitter:
        await _log_in(options)
        try:
            return await KafkaEmitter(**options).__aenter__()
        except EmitError as error:
            raise waiting.AwayError(str(error)) from error

    where = f"Kafka at {settings.kafka.bootstrap_servers}"
    correct = "KAFKA_BOOTSTRAP_SERVERS or KAFKA_SECURITY_PROTOCOL"
    return await waiting.within(settings.connect_timeout, attempt, where, correct)


async def _create_conn(*place: Any, **options: Any) -> conn.AIOKafkaConnection:
    """Log in by the password that its file holds by now; the producer keeps the one that it was made with."""
    password = options.get("sasl_plain_password")
    if isinstance(password, Password):
        options["sasl_plain_password"] = password.now
    created: conn.AIOKafkaConnection = await conn.create_conn(*place, **options)
    return created


async def _log_in(options: dict[str, Any]) -> None:
    """Log in to the first server: a client would log a refusal, and try for ever."""
    security = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    host, port, _ = conn.collect_hosts(options["bootstrap_servers"])[0]
    try:
        async with connection.opened(host, port, security):
            return
    except _LOGIN_REFUSED as error:
        raise ConfigurationError(
            f"Kafka at {host}:{port} refuses the login ({error}): "
            "correct KAFKA_SASL_MECHANISM, and KAFKA_SASL_USERNAME with KAFKA_SASL_PASSWORD, or "
            "KAFKA_SASL_OAUTHBEARER_*."
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"TLS with Kafka at {host}:{port} fails ({error.verify_message}): "
            "correct KAFKA_SECURITY_PROTOCOL and KAFKA_SSL_CA_LOCATION."
        ) from error
    except (kafka_errors.KafkaError, OSError) as error:
        alert = await tls.alert(host, port, security["ssl_context"]) if "ssl_context" in security else None
        if alert is None:
            return  # another of the servers may answer
        raise ConfigurationError(
            f"Kafka at {host}:{port} does not take our certificate ({alert}): "
            "correct KAFKA_SSL_CERTIFICATE_LOCATION and KAFKA_SSL_KEY_LOCATION."
        ) from error

"""Log in to Kafka with a token of an OAuth 2.0 server (KAFKA_SASL_OAUTHBEARER_*)."""

from aiokafka import abc
from aiokafka import errors as kafka_errors

from topics.environment import oauth
from topics.environment.sections import KafkaSection


class TokenProvider(abc.AbstractTokenProvider):
    """Gives the clients a token that has not expired."""

    def __init__(self, section: KafkaSection) -> None:
        """Take the settings that name the token server and who we are."""
        self._tokens = oauth.Tokens(section)

    async def token(self) -> str:
        """Return a token; raises aiokafka's errors, as its clients know what to do about them."""
        try:
            return await self._tokens.current()
        except oauth.RefusedError as error:
            raise kafka_errors.AuthenticationFailedError(str(error)) from error
        except OSError as error:
            raise kafka_errors.KafkaConnectionError(str(error)) from error

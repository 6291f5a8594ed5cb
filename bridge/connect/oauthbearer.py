"""Log in to Kafka with a token of an OAuth 2.0 server (KAFKA_SASL_OAUTHBEARER_*)."""

import asyncio
import time

from aiokafka import abc
from aiokafka import errors as kafka_errors

from topics.environment import oauth
from topics.environment.sections import KafkaSection

RENEW_AFTER = 0.8  # of a token's life


class TokenProvider(abc.AbstractTokenProvider):
    """Give the clients a token that has not expired; asks for one only where the last is old."""

    def __init__(self, section: KafkaSection) -> None:
        """Take the settings that name the token server and who we are."""
        self._section = section
        self._asking = asyncio.Lock()
        self._token = ""
        self._old_at = 0.0

    async def token(self) -> str:
        """Return a token; raises aiokafka's errors, as its clients know what to do about them."""
        async with self._asking:
            if time.monotonic() >= self._old_at:
                asked_at = time.monotonic()
                try:
                    granted = await asyncio.to_thread(oauth.fetch_token, self._section)
                except oauth.RefusedError as error:
                    raise kafka_errors.AuthenticationFailedError(str(error)) from error
                except OSError as error:
                    raise kafka_errors.KafkaConnectionError(str(error)) from error
                self._token, self._old_at = granted.value, asked_at + RENEW_AFTER * granted.seconds_valid
            return self._token

"""Talk to HTTP endpoints of others, bounded in time and size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jiter

ANSWER_BYTES_MAX = 256 * 1024
REQUEST_TIMEOUT_SECONDS = 60.0
PASSING = frozenset({408, 409, 425, 429})
"""Client errors that may not come again."""


class EndpointRefusedError(Exception):
    """An endpoint refused a request for good; its text says which and why."""


class EndpointFailedError(Exception):
    """An endpoint failed, and may not the next time."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL of others; only its host is ever shown, as the rest may hold a secret."""

    client: httpx.AsyncClient
    url: str

    @property
    def host(self) -> str:
        """Where it is."""
        return httpx.URL(self.url).host

    async def post(self, document: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
        """Post JSON and return the answer's body.

        Raises `EndpointRefusedError` where another attempt would be refused too, else `EndpointFailedError`.
        """
        try:
            async with self.client.stream("POST", self.url, json=document, headers=dict(headers)) as answer:
                body = await self._body(answer)
        except httpx.HTTPError as error:
            # Its own text may hold the URL.
            raise EndpointFailedError(f"{self.host} did not answer: {type(error).__name__}") from None
        if answer.is_success:
            return body
        text = f"{self.host} answered {answer.status_code} {answer.reason_phrase}"
        if answer.is_server_error or answer.status_code in PASSING:
            raise EndpointFailedError(text)
        raise EndpointRefusedError(text)

    async def _body(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise EndpointFailedError(f"{self.host} answered with more than {ANSWER_BYTES_MAX} bytes")
        return bytes(body)


def read_json(body: bytes, host: str) -> Any:
    """Return the JSON of an answer; raises `EndpointFailedError` if it is none."""
    try:
        return jiter.from_json(body)
    except ValueError as error:
        raise EndpointFailedError(f"{host} answered with what is no JSON") from error

"""Ask an OAuth 2.0 server for a token by client credentials (RFC 6749, section 4.4)."""

import asyncio
import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from topics.environment import reader
from topics.environment.sections import KafkaSection

ANSWER_SECONDS = 10.0
ANSWER_BYTES_MAX = 64 * 1024
SECONDS_VALID_DEFAULT = 300.0
RENEW_AFTER = 0.8  # of a token's life
ASK_AGAIN_SECONDS = 1.0  # Kafka's clients connect anew ten times a second


class RefusedError(Exception):
    """The token server knows us and says no, or answers what is no token: a person must act."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and how long it may be used."""

    value: str
    seconds_valid: float


class Tokens:
    """Keeps a token that has not expired; asks for one only where the last is old, and not at once after a refusal."""

    def __init__(self, section: KafkaSection) -> None:
        """Take the settings that name the token server and who we are."""
        self._section = section
        self._asking = asyncio.Lock()
        self._token = ""
        self._old_at = self._failed_at = 0.0
        self._problem: Exception | None = None

    async def current(self) -> str:
        """Return a token. Raises `RefusedError`, or `OSError` where the server is away."""
        async with self._asking:
            if time.monotonic() >= self._old_at:
                await self._ask()
            return self._token

    async def _ask(self) -> None:
        asked_at = time.monotonic()
        if self._problem is not None and asked_at < self._failed_at + ASK_AGAIN_SECONDS:
            raise self._problem.with_traceback(None)
        try:
            granted = await asyncio.to_thread(fetch_token, self._section)
        except (RefusedError, OSError) as error:
            self._problem, self._failed_at = error, time.monotonic()
            raise
        self._token, self._old_at, self._problem = granted.value, asked_at + RENEW_AFTER * granted.seconds_valid, None


def fetch_token(section: KafkaSection) -> Token:
    """Return a new token; blocks. Raises `RefusedError`, or `OSError` where the server is away."""
    url = section.sasl_oauthbearer_token_endpoint_url or ""
    form = {"grant_type": "client_credentials"}
    if section.sasl_oauthbearer_scope:
        form["scope"] = section.sasl_oauthbearer_scope
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode())  # noqa: S310 - settings allow http(s) only
    request.add_header("Authorization", f"Basic {_credentials(section)}")
    request.add_header("Accept", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - as above
            return _token(answer.read(ANSWER_BYTES_MAX), url)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the answer, and so the connection
        if error.code < 500:
            raise RefusedError(f"the token server {url} answers {error.code} {error.reason}") from error
        raise OSError(f"the token server {url} answers {error.code} {error.reason}") from error


def _credentials(section: KafkaSection) -> str:
    secret = section.sasl_oauthbearer_client_secret
    read = secret.get_secret_value() if secret else ""
    # Read again each time: a secret in a file may have been replaced.
    now = reader.current(section, "sasl_oauthbearer_client_secret") or read
    parts = (section.sasl_oauthbearer_client_id or "", now)
    return base64.b64encode(":".join(urllib.parse.quote(part, safe="") for part in parts).encode()).decode()


def _token(answer: bytes, url: str) -> Token:
    try:
        document = json.loads(answer)
        return Token(str(document["access_token"]), float(document.get("expires_in", SECONDS_VALID_DEFAULT)))
    except (ValueError, TypeError, KeyError) as error:
        raise RefusedError(f"the token server {url} answers what is no token") from error

"""What a campaign says on each channel: written by a language model where one is configured, else by a template."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from topics.campaign import Channel
from workers import endpoint
from workers.campaign.models import Content, ContentRequest
from workers.endpoint import Endpoint, EndpointFailedError
from workers.mail import one_line

HEADLINE_CHARACTERS_MAX = 200
BODY_CHARACTERS_MAX = 5_000
ANSWER_TOKENS_MAX = 1_000

TEMPLATE = "template"

_FORMS: Mapping[Channel, str] = {
    "email": "an e-mail of at most 150 words",
    "search": "a search advertisement of at most 90 characters",
    "social": "a social media post of at most 280 characters",
    "display": "a banner of at most 20 words",
}
_CALLS: Mapping[Channel, str] = {
    "email": "Reply to this mail to learn more.",
    "search": "Learn more.",
    "social": "Tell us what you think.",
    "display": "See for yourself.",
}


class Writer(Protocol):
    """Writes content."""

    async def write(self, request: ContentRequest) -> Content:
        """Return what the campaign says on the channel."""


@dataclass(frozen=True, slots=True)
class TemplateWriter:
    """Puts the campaign's own words into a form."""

    async def write(self, request: ContentRequest) -> Content:
        """Return what the campaign says on the channel."""
        body = f"{request.brief}\n\nFrom {request.starts_on} to {request.ends_on}. {_CALLS[request.channel]}"
        return _bounded(request.channel, request.name, body, TEMPLATE)


@dataclass(frozen=True, slots=True)
class ModelWriter:
    """Asks an OpenAI-compatible endpoint; `endpoint` is its `/chat/completions`, `model` may be left to it."""

    endpoint: Endpoint
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)

    async def write(self, request: ContentRequest) -> Content:
        """Return what the model wrote; raises as `Endpoint.post` does."""
        question: dict[str, Any] = {"messages": _messages(request), "max_tokens": ANSWER_TOKENS_MAX}
        if self.model is not None:
            question["model"] = self.model
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        answer = endpoint.read_json(await self.endpoint.post(question, headers), self.endpoint.host)
        try:
            text = str(answer["choices"][0]["message"]["content"] or "").strip()
        except (KeyError, IndexError, TypeError) as error:
            raise EndpointFailedError(f"{self.endpoint.host} answered without choices[0].message.content") from error
        if not text:
            raise EndpointFailedError(f"{self.endpoint.host} answered with an empty text")
        headline, _, body = text.partition("\n")
        model = answer.get("model") or self.model or self.endpoint.host
        return _bounded(request.channel, headline, body.strip() or headline, str(model))


def _messages(request: ContentRequest) -> list[dict[str, str]]:
    form = f"Write {_FORMS[request.channel]}. The first line is the headline, the text follows. Plain text, no markup."
    brief = f"Campaign: {one_line(request.name)}\nFrom {request.starts_on} to {request.ends_on}\n\n{request.brief}"
    return [{"role": "system", "content": form}, {"role": "user", "content": brief}]


def _bounded(channel: Channel, headline: str, body: str, model: str) -> Content:
    return Content(
        channel=channel,
        headline=one_line(headline)[:HEADLINE_CHARACTERS_MAX],
        body=body[:BODY_CHARACTERS_MAX],
        model=one_line(model)[:HEADLINE_CHARACTERS_MAX],
    )

"""The page, as it is sent: who gets it, and what its files may not hold. Without servers."""

import html.parser
import re

import pytest

from bridge.admin import page
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.names import Metric
from tests.admin.test_guard import ANYWHERE, HERE, TOKEN, client
from tests.docs import render

WEB = render.ROOT / "bridge/admin/web"
SCRIPT, STYLE = (WEB / "page.js").read_text(), (WEB / "page.css").read_text()
CONTRAST_MIN = 4.5  # WCAG 2.2 AA, text


class Document(html.parser.HTMLParser):
    """The elements of the document, each with its attributes, and the text within scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.feed((WEB / "index.html").read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in {"script", "style"} and data.strip():
            self.inside.append(data)

    def having(self, attribute: str) -> set[str]:
        return {found for _, attributes in self.elements if (found := attributes.get(attribute)) is not None}


@pytest.mark.parametrize(
    ("address", "token", "host", "header", "status"),
    [
        (HERE, None, HERE, None, 200),
        (HERE, None, "evil.example:8088", None, 403),
        (ANYWHERE, None, "bridge.example:8088", None, 403),
        (ANYWHERE, TOKEN, "bridge.example:8088", None, 401),
        (ANYWHERE, TOKEN, "bridge.example:8088", f"Bearer {TOKEN}", 200),
    ],
)
async def test_the_document_says_by_its_status_who_may_and_comes_all_the_same_to_ask_for_the_token(
    address: str, token: str | None, host: str, header: str | None, status: int
) -> None:
    async with client(address, token, host) as asking:
        answer = await asking.get("/", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.content) == (status, (WEB / "index.html").read_bytes())


@pytest.mark.parametrize("path", page.FILES)
async def test_nothing_inline_and_nothing_from_elsewhere_is_allowed(path: str) -> None:
    async with client() as asking:
        answer = await asking.get(path)
    policy = answer.headers["content-security-policy"]
    assert (answer.status_code, "unsafe" in policy, policy.startswith("default-src 'none'; ")) == (200, False, True)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_asks_for_the_token_where_style_and_script_are_open() -> None:
    async with client(ANYWHERE, TOKEN, "bridge.example:8088") as asking:
        found = {path: (await asking.get(path)).status_code for path in page.FILES}
        refused = (await asking.get("/v1/overview")).status_code
    assert (found, refused) == ({"/": 401, "/page.css": 200, "/page.js": 200, "/page.svg": 200}, 401)


def test_the_document_holds_no_script_no_style_and_no_handler() -> None:
    document = Document()
    handlers = [name for _, attributes in document.elements for name in attributes if name.startswith("on")]
    assert (document.inside, document.having("style"), handlers) == ([], set(), [])


def test_the_script_makes_no_markup_of_text() -> None:
    words = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|createContextualFragment"
    assert re.findall(words, SCRIPT) == []


def test_the_script_finds_every_element_that_it_names() -> None:
    named = set(re.findall(r'\$\("([\w-]+)"\)', SCRIPT))
    assert named - Document().having("id") == set()


def test_the_script_asks_for_metrics_that_are_there() -> None:
    named = set(re.findall(r'"(bridge_\w+)"', SCRIPT))
    assert (named - {metric.value for metric in Metric}, len(named) > 5) == (set(), True)


def test_every_field_has_a_label_and_what_is_referred_to_is_there() -> None:
    document = Document()
    shown = {of["id"] for tag, of in document.elements if tag == "input" and "hidden" not in of}
    labelled = {of["for"] for tag, of in document.elements if tag == "label"}
    referred = {
        each for name in ("aria-labelledby", "aria-describedby") for of in document.having(name) for each in of.split()
    }
    assert (shown - labelled, referred - document.having("id")) == (set(), set())


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def themes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    found = {name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text)) for name, text in (("l", light), ("d", dark))}
    return {"light": found["l"], "dark": found["d"]}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *[(text, ground) for text in ("text", "muted", "accent", "bad", "warn") for ground in ("ground", "card")],
        *[("muted", "raised"), ("text", "raised"), ("on-accent", "accent"), ("good", "card")],
        *[(mood, f"{mood}-ground") for mood in ("good", "warn", "bad")],
    ],
)
def test_text_stands_out_from_its_ground(theme: str, text: str, ground: str) -> None:
    colours = themes()[theme]
    high, low = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= CONTRAST_MIN


async def test_an_overview_tells_of_each_topic_what_became_of_its_commands() -> None:
    metrics = Metrics()
    async with client(metrics=metrics) as asking:
        for outcome in ("accepted", "accepted", "dead_lettered"):
            metrics.count(Metric.COMMANDS, "lead.score", outcome)
        metrics.count(Metric.DEAD_LETTERS, "lead.score", "invalid")
        metrics.observe(Metric.EVENT_AGE, 0.2, "lead.score")
        metrics.count(Metric.RETRIES, "temporal")
        told = (await asking.get("/v1/overview")).json()
    (topic,) = [each for each in told["topics"] if each["topic"] == "lead.score"]
    assert (topic["outcomes"], topic["dead_letters"]) == ({"accepted": 2, "dead_lettered": 1}, {"invalid": 1})
    assert (sum(topic["ages"]["counts"]), topic["ages"]["sum_seconds"]) == (1, 0.2)
    assert told["numbers"]["bridge_retries_total"] == [{"cause": "temporal", "value": 1}]
    assert topic["commands"] == [{"command": "lead.score", "verb": "signal_with_start"}]


def test_the_picture_in_the_docs_is_small() -> None:
    assert (render.ROOT / "docs/page.png").stat().st_size < 200_000

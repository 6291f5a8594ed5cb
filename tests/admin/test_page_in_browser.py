"""The page of a daemon that runs, in headless Chromium: by keyboard, with its token, and with records that mean ill."""

import itertools
from collections.abc import Iterator

import pytest

from tests.acceptance.commands import fresh
from tests.admin import browser
from tests.admin.browser import Page
from tests.admin.conftest import TOKEN, Admin

PROGRAM = browser.found()
TICK_SECONDS = 2
CLOCK_SECONDS = 0.05  # a browser's timers and its network's clock are two
SIGNED_IN = "Boolean(document.querySelector('#flow tbody tr'))"
SIGNING_IN = "document.activeElement?.id === 'token'"
ILL = "<img src=x onerror=document.title='owned'>"

pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium: sudo apt-get install chromium, to look at the page"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser.opened(PROGRAM or "", tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def page(chromium: Page, admin: Admin) -> Page:
    """Give the page, signed in."""
    chromium.look(width=1200, height=900)
    chromium.open(f"{admin.url}/")
    chromium.wait(f"{SIGNING_IN} || {SIGNED_IN}")
    if chromium.tell(SIGNING_IN):
        chromium.write(TOKEN)
        chromium.press("Enter")
    chromium.wait(SIGNED_IN)
    chromium.events.clear()
    return chromium


def search(page: Page, text: str) -> None:
    page.press("/")
    page.write(text)
    page.press("Enter")
    page.wait(
        "!document.querySelector('#traced').hidden && !document.querySelector('#traced').hasAttribute('aria-busy')"
    )


def test_it_asks_for_the_token_and_says_when_it_is_wrong(chromium: Page, admin: Admin) -> None:
    chromium.open(f"{admin.url}/")
    chromium.wait("document.readyState === 'complete'")
    chromium.tell("sessionStorage.clear()")
    chromium.open("about:blank")
    chromium.open(f"{admin.url}/")
    chromium.wait(SIGNING_IN)
    chromium.write("wrong")
    chromium.press("Enter")
    chromium.wait("document.querySelector('#sign-in-problem').innerText.includes('not the token')")
    assert chromium.tell("document.querySelector('#data').hidden") is True
    chromium.write(TOKEN)
    chromium.press("Enter")
    chromium.wait(SIGNED_IN)
    assert chromium.text("#state") == "ready"
    assert TOKEN not in chromium.tell("document.documentElement.outerHTML + location.href + document.cookie")


def test_it_shows_every_topic_and_what_became_of_its_commands(page: Page, admin: Admin) -> None:
    admin.send("visit.begin", fresh("visit"))
    rows = "[...document.querySelectorAll('#flow tbody tr')]"
    accepted = "row.cells[0].innerText.startsWith('visit.begin') && Number(row.cells[4].innerText) > 0"
    page.wait(f"{rows}.some(row => {accepted})")
    found = page.tell(f"{rows}.map(row => row.dataset.key)")
    assert found == ["visit.begin", "visit.note", "visit.change"]


def test_a_command_is_found_by_its_id_with_keys_alone(page: Page, admin: Admin) -> None:
    visit = fresh("visit")
    command, place = admin.send("visit.begin", visit)
    admin.wait(lambda: admin.ask("GET", f"/v1/trace/{command.id}").status_code == 200, "the command is found")
    search(page, command.id)
    told = page.text("#traced")
    assert ("accepted" in told, f"visit-{visit}" in told, "/".join(map(str, place)) in told) == (True, True, True)
    assert page.tell("document.activeElement.id") == "traced-title"
    page.press("Escape")
    assert page.tell("[document.querySelector('#traced').hidden, document.activeElement.id]") == [True, "what"]


def test_what_is_nowhere_is_told_with_where_was_looked(page: Page) -> None:
    search(page, "nobody-knows-this")
    assert page.text("#traced-state").startswith("Nothing was found of nobody-knows-this.")
    assert "bridge.replies" in page.tell("document.querySelector('#traced details').textContent")


def test_what_records_hold_is_shown_as_text_and_the_browser_complains_of_nothing(page: Page, admin: Admin) -> None:
    named = {"specversion": "1.0", "id": ILL, "source": "/ill", "type": "visit.begin"}
    headers = [(f"ce_{name}", value.encode()) for name, value in named.items()]
    admin.producer.send_raw("visit.begin", b"ill", b"no JSON", headers)
    page.wait("document.querySelector('#letters').innerText.includes('onerror')")
    search(page, ILL)
    page.wait("document.querySelector('#traced-body').innerText.includes('onerror')")
    assert page.tell("[document.title, document.querySelectorAll('main img').length]") == ["kafka-temporal-bridge", 0]
    assert page.complaints() == []


def test_a_topic_is_paused_and_resumed_with_keys_alone_and_the_focus_stays(page: Page, admin: Admin) -> None:
    button = "document.querySelector('#flow [data-topic=\"visit.change\"]')"
    page.tell(f"{button}.focus()")
    page.press("Enter")
    page.wait(f"{button}.innerText === 'Resume'")
    assert admin.get("/v1/health")["paused"] == ["visit.change"]
    assert page.text("#told") == "visit.change is paused, in the whole group."
    asked = len(page.asked())
    admin.wait(lambda: len(page.asked()) > asked + 1, "it has been painted anew")
    assert page.tell(f"document.activeElement === {button}") is True
    page.press("Enter")
    page.wait(f"{button}.innerText === 'Pause'")
    assert admin.get("/v1/health")["paused"] == []


def test_it_asks_once_in_two_seconds_at_most_and_not_at_all_while_nobody_looks(page: Page, admin: Admin) -> None:
    def times() -> list[float]:
        return [at for at, url in page.asked() if "/v1/" in url]

    def look(hidden: str) -> None:
        page.tell(f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}})")
        page.tell("document.dispatchEvent(new Event('visibilitychange'))")

    admin.wait(lambda: len(times()) >= 4, "it has asked some times")
    between = [later - sooner for sooner, later in itertools.pairwise(times())]
    assert min(between) >= TICK_SECONDS - CLOCK_SECONDS
    look("true")
    before = len(times())
    page.tell(f"new Promise(done => setTimeout(done, {2.5 * TICK_SECONDS * 1000}))")
    assert len(times()) == before
    look("false")
    admin.wait(lambda: len(times()) > before, "it goes on")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_in_light_and_dark(page: Page, dark: bool) -> None:
    page.look(width=390, height=844, dark=dark)
    grounds = {True: "rgb(13, 18, 24)", False: "rgb(243, 245, 248)"}
    assert page.tell("getComputedStyle(document.body).backgroundColor") == grounds[dark]
    assert page.tell("[document.documentElement.scrollWidth, innerWidth]") == [390, 390]


def test_the_focus_is_seen_on_everything_that_tab_reaches(page: Page) -> None:
    page.tell("document.body.focus()")
    found = set()
    for _ in range(8):
        page.press("Tab")
        found.add(page.tell("getComputedStyle(document.activeElement).outlineStyle"))
    assert found == {"solid"}

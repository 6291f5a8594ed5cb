"""The words of compose/manage."""

import subprocess

import pytest

from tests.compose import rehearsing
from tests.compose.stack import MANAGE, Compose

pytestmark = pytest.mark.timeout(600)


def said(*words: str) -> tuple[int, str]:
    done = subprocess.run([MANAGE, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_help_names_every_word() -> None:
    code, text = said("help")
    words = ("start", "stop", "restart", "status", "logs", "namespace", "reset", "help")
    assert (code, [word for word in words if f"manage {word}" not in text]) == (0, [])


def test_an_unknown_word_is_an_error_that_names_the_known_ones() -> None:
    expected = "manage: no word 'begin'; known: start, stop, restart, status, logs, namespace, reset, help\n"
    assert said("begin") == (2, expected)


def test_an_unknown_profile_is_an_error_that_names_the_known_ones() -> None:
    assert said("start", "everything") == (2, "manage: no profile 'everything'; known: core, observability, search\n")


def test_a_namespace_without_a_name_is_an_error() -> None:
    assert said("namespace") == (2, "manage: namespace needs a NAME: manage namespace NAME\n")


def test_reset_with_more_than_yes_removes_nothing() -> None:
    assert said("reset", "--yes", "bridge") == (
        2,
        "manage: reset takes at most 1 word(s) more, and got 2: see manage help\n",
    )


def test_reset_asks_first(compose: Compose) -> None:
    done = compose.manage("reset", told="n\n")
    assert (done.returncode, done.stderr) == (1, "manage: nothing was removed\n")


@pytest.mark.parametrize("word", ["logs", "restart"])
def test_an_unknown_service_is_an_error_that_names_the_known_ones(compose: Compose, word: str) -> None:
    known = "bridge, grafana, jaeger, kafka, mail, opensearch, postgres, prometheus, temporal, temporal-ui, workers"
    done = compose.manage(word, "kafak")
    assert (done.returncode, done.stderr) == (2, f"manage: no service 'kafak'; known: {known}\n")


def test_status_shows_every_service(core: Compose) -> None:
    done = core.manage("status")
    missing = [
        name for name in ("kafka", "postgres", "temporal", "bridge", "workers", "mail") if name not in done.stdout
    ]
    assert (done.returncode, missing) == (0, [])


def test_a_namespace_is_made_and_again_is_no_error(core: Compose) -> None:
    before = core.left()
    made, again = core.manage("namespace", "team-a"), core.manage("namespace", "team-a")
    assert (made.returncode, made.stdout) == (0, "namespace team-a made; it keeps closed runs for 168h\n")
    assert (again.returncode, again.stdout) == (0, "namespace team-a is there\n")
    assert core.left() == before


async def test_what_was_stopped_starts_again_with_its_data_and_reset_leaves_nothing(core: Compose) -> None:
    core.manage("namespace", "kept")
    assert core.manage("stop").returncode == 0
    assert core("ps", "--status", "running", "--quiet") == ""
    refused = core.manage("namespace", "kept")
    assert (refused.returncode, refused.stderr) == (1, "manage: Temporal does not run: manage start\n")
    assert core.manage("start").returncode == 0
    assert core.manage("namespace", "kept").stdout == "namespace kept is there\n"
    assert await rehearsing.play(core.bootstrap) == {}
    assert core.manage("reset", "--yes").returncode == 0
    assert core.left() == []
    core.up()

"""What `bridge doctor` makes of what a daemon and a group tell, without servers."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bridge import settings
from bridge.cli.examine import daemon, database, group, inside, mail, workers
from bridge.cli.examine.finding import Status
from bridge.cli.examine.group import Behind
from tests.servers import ports

TOPIC = {
    "topic": "visit.begin",
    "commands": [{"command": "visit.begin", "verb": "start"}],
    "paused": False,
    "held_by": None,
    "partitions": 6,
    "partitions_paused": 0,
    "lag": 0,
    "waiting": 0,
    "outcomes": {"accepted": 5},
    "dead_letters": {},
}


def overview(numbers: dict[str, float] | None = None, **topic: Any) -> dict[str, Any]:
    told = {name: [{"value": value}] for name, value in (numbers or {}).items()}
    return {"health": {"alerts": {}}, "topics": [TOPIC | topic], "lanes": [], "numbers": told}


def told(found: dict[str, Any]) -> dict[str, tuple[Status, str]]:
    return {each.check: (each.status, each.detail) for each in inside.findings(found)}


def test_a_daemon_that_is_well_has_nothing_to_complain_of() -> None:
    found = told(overview({"bridge_temporal_answer_seconds": 0.004, "bridge_admission_limit": 256}))
    assert {check: status for check, (status, _) in found.items()} == dict.fromkeys(
        ("lane", "dead letters", "answers", "feed"), Status.OK
    )


def test_a_pause_by_a_person_is_told_with_how_to_end_it() -> None:
    paused = overview(partitions_paused=6, held_by="a person has paused it", lag=12)
    (finding,) = [each for each in inside.findings(paused) if each.check == "paused"]
    assert finding.detail == (
        "visit.begin: 6 of 6 partitions are paused: a person has paused it; 12 record(s) are not done"
    )
    assert finding.advice == "End it with POST /v1/routes/visit.begin/resume, or on the page."


def test_dead_letters_are_told_by_reason() -> None:
    found = overview(dead_letters={"invalid": 3, "target_missing": 1})
    details = [each.detail for each in inside.findings(found) if each.check == "dead letters"]
    assert details == [
        "visit.begin: 3 invalid since this process started",
        "visit.begin: 1 target_missing since this process started",
    ]


def test_a_feed_that_is_behind_or_has_lost_ends_is_told() -> None:
    found = told(overview({"bridge_feed_lag_seconds": 300.0, "bridge_feed_gaps_total": 2}))
    assert found["feed"] == (Status.WARN, "ends of runs are told 300 s late at most")
    lost = [each for each in inside.findings(overview({"bridge_feed_gaps_total": 2})) if each.status is Status.FAIL]
    assert [each.detail for each in lost] == ["ends of runs were lost 2 time(s)"]


def test_partitions_are_told_with_the_age_of_the_oldest_and_the_late_ones_first() -> None:
    behind = [
        Behind("visit.begin", 0, 3, 900, timedelta(seconds=2)),
        Behind("visit.begin", 1, 17, 2, timedelta(seconds=45)),
    ]
    first, late, young = group.findings("bridge", 1, behind)
    assert (first.status, first.detail) == (Status.OK, "bridge has 1 member(s); 902 record(s) are not done")
    assert (late.status, late.advice) == (Status.WARN, "`bridge trace visit.begin/1/17` tells of the oldest.")
    assert late.detail == "visit.begin/1: 2 record(s) are not done, the oldest since 45 s"
    assert young.status is Status.OK


@pytest.mark.parametrize(("behind", "status"), [([], Status.WARN), ([Behind("a", 0, 0, 1)], Status.FAIL)])
def test_a_group_without_members_is_worse_where_something_is_to_do(behind: list[Behind], status: Status) -> None:
    assert next(iter(group.findings("bridge", 0, behind))).status is status


@pytest.mark.parametrize(("token", "is_told"), [({}, True), ({"BRIDGE_ADMIN_TOKEN": "a-token"}, False)])
async def test_an_address_off_loopback_without_a_token_is_told(token: dict[str, str], *, is_told: bool) -> None:
    loaded = settings.load({"BRIDGE_ADMIN_ADDRESS": f"0.0.0.0:{ports.free()}"} | token)
    found = await daemon.examine(loaded)
    assert [each.detail for each in found if "BRIDGE_ADMIN_TOKEN is not set" in each.detail] == (
        [f"{loaded.bridge.admin_address} can be reached from other machines, and BRIDGE_ADMIN_TOKEN is not set"]
        if is_told
        else []
    )


def test_a_daemon_that_wants_a_token_is_told_with_what_to_do() -> None:
    answer = httpx.Response(401, json={"problem": "Send the header."})
    (finding,) = daemon._told("127.0.0.1:8088", "bridge", answer)
    assert (finding.status, finding.advice) == (Status.WARN, "Give doctor the daemon's BRIDGE_ADMIN_TOKEN.")


def test_a_daemon_of_another_group_is_not_taken_for_ours() -> None:
    answer = httpx.Response(200, json=overview() | {"health": {"group": "theirs", "alerts": {}}})
    (finding,) = daemon._told("127.0.0.1:8088", "bridge", answer)
    assert finding.detail == "127.0.0.1:8088 is of the group theirs, not bridge"


async def test_a_server_of_the_workers_that_nobody_named_is_no_failure_of_this_machine() -> None:
    given = settings.load({"WORKERS_SMTP_URL": "smtp://127.0.0.1:1"})
    assert [each.status for each in await mail.examine(given)] == [Status.FAIL]
    told = workers.away(settings.load({}), "smtp_url", mail.CHECK, "127.0.0.1:8025: nobody", mail.ADVICE)
    assert (told.status, told.advice) == (
        Status.WARN,
        "WORKERS_SMTP_URL is not set here, so this is its default. Give doctor the workers' own.",
    )


async def test_the_workers_file_is_no_failure_where_nobody_named_it_and_it_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)  # a read-only root, which root itself does not see
    (found,) = await database.examine(settings.load({}))
    assert (found.status, found.advice) == (
        Status.WARN,
        "WORKERS_DATABASE_URL is not set here, so this is its default. Give doctor the workers' own.",
    )
    given = {"WORKERS_DATABASE_URL": f"sqlite:///{tmp_path}/workers.db"}
    assert [each.status for each in await database.examine(settings.load(given))] == [Status.FAIL]

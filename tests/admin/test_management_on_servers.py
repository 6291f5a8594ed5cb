"""The admin API of a daemon that runs, on real Kafka and Temporal."""

import json
from typing import Any

from tests.acceptance.commands import fresh
from tests.admin.conftest import Admin


def test_health_tells_more_to_who_has_the_token(admin: Admin) -> None:
    health = admin.get("/v1/health")
    assert (health["status"], health["group"], health["paused"]) == ("ready", "admin-tests", [])
    assert health["figures"]["partitions"] == 18


def test_the_routes_are_the_deployments(admin: Admin) -> None:
    found = {each["command"]: (each["verb"], each["paused"]) for each in admin.get("/v1/routes")["routes"]}
    assert found == {
        "visit.begin": ("start", False),
        "visit.note": ("signal", False),
        "visit.change": ("update", False),
    }


def test_partitions_tell_how_far_they_are(admin: Admin) -> None:
    _, (topic, partition, offset) = admin.send("visit.begin", fresh("visit"))

    def is_done() -> bool:
        found = {(each["topic"], each["partition"]): each for each in admin.get("/v1/partitions")["partitions"]}
        one = found[topic, partition]
        return (one["done_to"], one["lag"], one["waiting"], one["held_by"]) == (offset + 1, 0, 0, None)

    admin.wait(is_done, "the partition is done")


def test_a_command_that_is_tried_again_and_again_is_seen_in_its_lane_without_its_data(admin: Admin) -> None:
    visit = fresh("visit")
    admin.send("visit.begin", visit)
    command, place = admin.send("visit.change", visit, secret="canary-of-the-lanes")

    def lanes() -> list[dict[str, object]]:
        found = [each for each in admin.get("/v1/lanes")["lanes"] if each["workflow_id"] == f"visit-{visit}"]
        return [each for each in found if each["topic"] == place[0]]  # its start, of another topic, may be in hand yet

    admin.wait(lanes, "an update of a run that nobody works for is in its lane")
    (lane,) = lanes()
    assert lane["partition"] == place[1]
    assert {name: lane["first"][name] for name in ("offset", "type", "id")} == {  # type: ignore[index]  # it is JSON
        "offset": place[2],
        "type": "visit.change",
        "id": command.id,
    }
    assert "canary" not in admin.ask("GET", "/v1/lanes").text


def test_a_trace_is_the_command_lines_without_payload(admin: Admin) -> None:
    visit = fresh("visit")
    command, place = admin.send("visit.begin", visit, secret="canary-of-the-trace")
    admin.wait(lambda: admin.ask("GET", f"/v1/trace/{command.id}").status_code == 200, "the command is found")
    account = admin.get(f"/v1/trace/{command.id}")
    found = account["command"]
    assert (found["id"], found["topic"], found["partition"], found["offset"]) == (command.id, *place)
    assert account["workflow"]["workflow_id"] == f"visit-{visit}"
    by_place = admin.ask("GET", f"/v1/trace/{'/'.join(map(str, place))}")
    assert by_place.json()["command"]["id"] == command.id
    assert "canary" not in by_place.text


def test_what_is_nowhere_is_404_with_where_was_looked(admin: Admin) -> None:
    answer = admin.ask("GET", "/v1/trace/nobody-knows-this")
    assert (answer.status_code, answer.json()["problem"]) == (404, "Nothing was found of nobody-knows-this.")
    assert "workflow id visit-nobody-knows-this" in {each["how"] for each in answer.json()["looked"]}


def test_dead_letters_are_listed_shown_and_put_back_once(admin: Admin) -> None:
    visit = fresh("visit")
    command, place = admin.send("visit.note", visit, text="too early")
    path = f"/v1/dead-letters?id={command.id}"
    admin.wait(lambda: admin.get(path)["dead_letters"], "the dead letter")
    (listed,) = admin.get(path)["dead_letters"]
    assert (listed["reason"], listed["original"], listed["state"]) == (
        "target_missing",
        "/".join(map(str, place)),
        "open",
    )
    assert "value" not in listed
    (shown,) = admin.get(f"/v1/dead-letters/{listed['letter']}")["dead_letters"]
    assert "too early" in shown["value"]
    admin.send("visit.begin", visit)
    admin.wait(lambda: admin.view.runs_of(f"visit-{visit}"), "the visit has begun")
    planned = admin.ask("POST", "/v1/dead-letters/replay", json={"id": [command.id], "dry_run": True}).json()
    assert [each["state"] for each in planned["dead_letters"]] == ["open"]
    done = admin.ask("POST", "/v1/dead-letters/replay", json={"id": [command.id]}).json()
    assert [each["replayed_to"].rpartition("/")[0] for each in done["dead_letters"]] == [f"{place[0]}/{place[1]}"]
    admin.wait(lambda: admin.view.signals(f"visit-{visit}") == ["note"], "the note has reached the visit")
    again = admin.ask("POST", "/v1/dead-letters/replay", json={"id": [command.id]}).json()
    assert again["dead_letters"] == []
    assert [each["state"] for each in admin.get(f"{path}&state=all")["dead_letters"]] == ["replayed"]


def test_a_dead_letter_is_discarded_with_a_reason_and_stays_so(admin: Admin) -> None:
    command, _ = admin.send("visit.note", fresh("visit"), text="nobody needs this")
    path = f"/v1/dead-letters?id={command.id}"
    admin.wait(lambda: admin.get(path)["dead_letters"], "the dead letter")
    silent = admin.ask("POST", "/v1/dead-letters/discard", json={"id": [command.id]})
    assert (silent.status_code, silent.json()["problem"]) == (400, "because: say why, for those who look later.")
    wanted = {"id": [command.id], "because": "the visit never was"}
    planned = admin.ask("POST", "/v1/dead-letters/discard", json=wanted | {"dry_run": True}).json()
    assert [each["state"] for each in planned["dead_letters"]] == ["open"]
    done = admin.ask("POST", "/v1/dead-letters/discard", json=wanted).json()
    assert ([each["state"] for each in done["dead_letters"]], done["more"]) == (["discarded"], False)
    assert admin.ask("POST", "/v1/dead-letters/discard", json=wanted).json()["dead_letters"] == []
    assert [each["state"] for each in admin.get(f"{path}&state=all")["dead_letters"]] == ["discarded"]


def test_a_replay_must_say_of_what_and_a_letter_must_be_there(admin: Admin) -> None:
    everything = admin.ask("POST", "/v1/dead-letters/replay", json={})
    assert (everything.status_code, everything.json()["problem"][:9]) == (400, "Say which")
    assert admin.ask("GET", "/v1/dead-letters/visit.note.dlq/0/987654").status_code == 404
    assert admin.ask("GET", "/v1/dead-letters?state=lost").status_code == 400


def test_the_log_level_changes_while_it_runs(admin: Admin) -> None:
    assert admin.get("/v1/log-level") == {"level": "info"}
    assert admin.ask("PUT", "/v1/log-level", json={"level": "error"}).json() == {"level": "error"}
    visit = fresh("visit")  # one key, so one partition: its offsets differ
    silent, (_, partition, first) = admin.send("visit.note", visit, text="nobody is there")
    path = f"/v1/dead-letters?id={silent.id}"
    admin.wait(lambda: admin.get(path)["dead_letters"], "a dead letter, of which a warning would tell")
    assert admin.ask("PUT", "/v1/log-level", json={"level": "info"}).json() == {"level": "info"}
    _, (_, _, second) = admin.send("visit.note", visit, text="nobody is there")
    admin.wait(lambda: (partition, second) in _logged(admin), "the next one is told")
    assert (partition, first) not in _logged(admin)


def _logged(admin: Admin) -> set[tuple[int, int]]:
    """Return partition and offset of the dead letters that the log tells of."""
    lines = [json.loads(line) for line in admin.daemon.text.splitlines() if line.endswith("}")]
    return {(line["partition"], line["offset"]) for line in lines if line["event"] == "dead letter"}


def test_what_waits_in_a_paused_topic_is_told_as_lag(admin: Admin) -> None:
    assert admin.ask("POST", "/v1/routes/visit.note/pause").status_code == 200
    admin.wait(lambda: _topic(admin, "visit.note")["partitions_paused"] == 6, "its partitions are paused")
    visit = fresh("visit")
    for number in range(3):
        admin.send("visit.note", visit, number=number)
    admin.wait(lambda: _topic(admin, "visit.note")["lag"] == 3, "nothing is fetched, and yet the end is known")
    assert admin.ask("POST", "/v1/routes/visit.note/resume").status_code == 200
    admin.wait(lambda: _topic(admin, "visit.note")["lag"] == 0, "they are done")


def _topic(admin: Admin, name: str) -> Any:
    return next(each for each in admin.get("/v1/overview")["topics"] if each["topic"] == name)


def test_a_record_in_the_topic_of_pauses_that_is_none_of_ours_pauses_nothing_of_ours(admin: Admin) -> None:
    for key, value in ((b"\xff\xfe", b"\x00"), (b"", b"{}"), (b"visit.begin2", b"no json")):
        admin.producer.send_raw("admin-tests.paused", key, value, [("odd", None)])
    assert admin.ask("POST", "/v1/routes/visit.note/pause").status_code == 200
    assert admin.daemon.terminate() == 0
    admin.start()
    assert admin.get("/v1/health")["paused"] == ["visit.note"]
    assert admin.ask("POST", "/v1/routes/visit.note/resume").status_code == 200
    assert admin.get("/v1/health")["paused"] == []


def test_a_pause_holds_commands_over_a_restart_until_it_is_ended(admin: Admin) -> None:
    visit = fresh("visit")
    paused = admin.ask("POST", "/v1/routes/visit.begin/pause").json()
    assert paused == {"topic": "visit.begin", "paused": True, "commands": ["visit.begin"]}
    admin.wait(lambda: _held(admin) == {"a person has paused it"}, "its partitions are held")
    assert admin.daemon.terminate() == 0
    admin.start()
    assert admin.get("/v1/health")["paused"] == ["visit.begin"]
    command, _ = admin.send("visit.begin", visit)
    other, _ = admin.send("visit.note", visit, text="the others go on")
    admin.wait(lambda: admin.get(f"/v1/dead-letters?id={other.id}")["dead_letters"], "another route's command is done")
    assert admin.view.runs_of(f"visit-{visit}") == {}
    account = admin.get(f"/v1/trace/{command.id}")
    assert account["outcome"] is None
    assert any(note.startswith(("it is not done yet", "the group has not done")) for note in account["notes"])
    assert admin.ask("POST", "/v1/routes/visit.begin/resume").json()["paused"] is False
    admin.wait(lambda: admin.view.runs_of(f"visit-{visit}"), "the command is carried out")


def _held(admin: Admin) -> set[str | None]:
    return {each["held_by"] for each in admin.get("/v1/partitions")["partitions"] if each["topic"] == "visit.begin"}


def test_a_route_that_is_none_cannot_be_paused(admin: Admin) -> None:
    answer = admin.ask("POST", "/v1/routes/visit.begn/pause")
    assert (answer.status_code, answer.json()["problem"]) == (
        400,
        "visit.begn is no route; did you mean visit.begin?",
    )

"""Dead letters by the thousand: what one request takes of them, and a mark that lies far back."""

import confluent_kafka

from tests.acceptance.commands import fresh
from tests.acceptance.producer import Command
from tests.admin.conftest import Admin

AT_ONCE = 1000
MARKS = "admin-tests.dlq.handled"
BLOCK = 20_000  # what a search for a mark looks at first


def test_again_takes_no_more_than_a_request_can_tell_apart(admin: Admin) -> None:
    visit = fresh("visit")
    admin.producer.send_all([Command("visit.note", {"visit_id": visit, "n": n}) for n in range(AT_ONCE + 1)])

    def listed() -> tuple[int, bool]:
        found = admin.get(f"/v1/dead-letters?key={visit}&count={AT_ONCE}")
        return len(found["dead_letters"]), found["more"]

    admin.wait(lambda: listed() == (AT_ONCE, True), "they are dead letters")
    wanted = {"key": [visit], "again": True}
    planned = admin.ask("POST", "/v1/dead-letters/replay", json=wanted | {"dry_run": True}).json()
    assert (len(planned["dead_letters"]), planned["more"]) == (AT_ONCE, True)
    refused = admin.ask("POST", "/v1/dead-letters/replay", json=wanted)
    assert (refused.status_code, refused.json()["problem"].partition(":")[0]) == (
        400,
        f"again takes at most {AT_ONCE} at once",
    )
    assert listed() == (AT_ONCE, True)
    because = {"key": [visit], "because": "sent by a test"}
    discarded = [admin.ask("POST", "/v1/dead-letters/discard", json=because).json() for _ in range(2)]
    assert [(len(each["dead_letters"]), each["more"]) for each in discarded] == [(AT_ONCE, True), (1, False)]


def test_a_trace_finds_the_mark_of_a_letter_behind_many_others(admin: Admin) -> None:
    command, _ = admin.send("visit.note", fresh("visit"), text="long ago")
    admin.wait(lambda: admin.get(f"/v1/dead-letters?id={command.id}")["dead_letters"], "the dead letter")
    admin.ask("POST", "/v1/dead-letters/discard", json={"id": [command.id], "because": "long ago"})
    producer = confluent_kafka.Producer({"bootstrap.servers": admin.bootstrap})
    for number in range(BLOCK + 1000):
        producer.produce(MARKS, b'{"state": "replayed"}', b"of-somebody-else-%d" % number)
        producer.poll(0)
    assert producer.flush(60) == 0
    (letter,) = admin.get(f"/v1/trace/{command.id}")["dead_letters"]
    assert letter["state"] == "discarded"

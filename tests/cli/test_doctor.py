import time

from tests.cli.command_line import CommandLine


def test_what_does_not_answer_fails_with_what_to_do_and_in_time(alone: CommandLine) -> None:
    begun = time.monotonic()
    ended = alone.here("doctor", "-o", "json", WORKERS_DATABASE_URL="postgresql://ann:s3cret@127.0.0.1:1/x")
    failed = {row["check"]: row["detail"] for row in ended.rows if row["status"] == "fail"}
    assert ended.code == 1
    assert list(failed) == ["kafka", "temporal", "smtp", "database"]
    assert "correct KAFKA_BOOTSTRAP_SERVERS" in failed["kafka"]
    assert "s3cret" not in ended.out
    assert time.monotonic() - begun < 30


def test_a_queue_without_workers_and_a_daemon_that_is_down_are_told(stack: CommandLine) -> None:
    # Another namespace: in the stack's own one the workers of other tests may have polled a moment ago.
    other = "without-workers"
    assert stack.run("setup", "apply", TEMPORAL_NAMESPACE=other).code == 0
    rows = stack.here("doctor", "-o", "json", TEMPORAL_NAMESPACE=other).rows
    assert {row["advice"] for row in rows if row["check"] == "task queue"} == {
        "Run `bridge worker --queue finance`.",
        "Run `bridge worker --queue campaigns`.",
        "Run `bridge worker --queue leads`.",
    }
    daemon = next(row for row in rows if row["check"] == "daemon")
    assert (daemon["status"], daemon["advice"]) == ("warn", "Run `bridge run`.")


def test_what_setup_would_make_is_missing(stack: CommandLine) -> None:
    ended = stack.here("doctor", "-o", "json", TEMPORAL_NAMESPACE="nowhere", BRIDGE_GROUP_ID="unheard-of")
    missing = [row["detail"] for row in ended.rows if row["advice"] == "Run `bridge setup apply`."]
    expected = ["unheard-of.feed is missing", "unheard-of.dlq.handled is missing", "unheard-of.paused is missing"]
    expected.append("nowhere is missing")
    assert (missing, ended.code) == (expected, 1)


def test_an_address_that_something_else_has_is_told(stack: CommandLine) -> None:
    ended = stack.here("doctor", "-o", "json", BRIDGE_ADMIN_ADDRESS=stack.env["KAFKA_BOOTSTRAP_SERVERS"])
    daemon = next(row for row in ended.rows if row["check"] == "daemon")
    assert (daemon["status"], daemon["advice"]) == ("fail", "Correct BRIDGE_ADMIN_ADDRESS.")

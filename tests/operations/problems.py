"""Ten problems: how each is planted, and what an operator sees of it. The runbook has a section for each."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.acceptance import commands
from tests.acceptance.commands import fresh
from tests.acceptance.producer import Command
from tests.deadletter.desk import until
from tests.operations.conftest import Stack

DOCTOR, TRACE = "bridge doctor", "bridge trace"
BATCH = 10
BAD_IN_A_ROW = 100
SLOW_SECONDS = 0.4


@dataclass(frozen=True)
class Sight:
    """What is seen: words of an account, or, of a check, those of a finding that is so bad."""

    where: str
    words: str
    check: str = ""
    status: str = ""


@dataclass(frozen=True)
class Problem:
    """`plant` holds it, and gives the id or place to trace."""

    name: str
    plant: Callable[[Stack], AbstractContextManager[str]]
    sights: Sequence[Sight]


@contextlib.contextmanager
def _no_worker(stack: Stack) -> Iterator[str]:
    yield stack.send("job.begin", fresh("idle")).id


@contextlib.contextmanager
def _wrong_queue(stack: Stack) -> Iterator[str]:
    yield stack.send("job.mislead", fresh("misled")).id


@contextlib.contextmanager
def _bad_records(stack: Stack) -> Iterator[str]:
    bad = [Command("job.mislead", {"job_id": "", "number": number}) for number in range(BAD_IN_A_ROW)]
    yield stack.producer.send_all(bad)[0].id


@contextlib.contextmanager
def _missing_topic(stack: Stack) -> Iterator[str]:
    admin = stack.admin()
    for gone in admin.delete_topics(["job.announcements"]).values():
        gone.result(20)
    try:
        yield stack.send("job.announce", fresh("unannounced")).id
    finally:
        stack.apply()
        stack.wait_ready()


@contextlib.contextmanager
def _slow_temporal(stack: Stack) -> Iterator[str]:
    stack.temporal.faults.delay_seconds = SLOW_SECONDS
    try:
        jobs = [Command("job.begin", {"job_id": fresh("slow")}) for _ in range(6 * BATCH)]
        yield stack.producer.send_all(jobs)[-1].id
    finally:
        stack.temporal.faults.delay_seconds = 0


@contextlib.contextmanager
def _expired_credentials(stack: Stack) -> Iterator[str]:
    stack.revoke()
    try:
        yield ""
    finally:
        stack.grant()
        stack.wait_ready()


@contextlib.contextmanager
def _full_lane(stack: Stack) -> Iterator[str]:
    job = fresh("full")
    stack.send("job.begin", job)
    changes = [Command("job.change", {"job_id": job, "number": number}) for number in range(5 * BATCH)]
    sent = stack.producer.send_all(changes)
    yield "/".join(map(str, sent[0].place))


@contextlib.contextmanager
def _dead_consumer(stack: Stack) -> Iterator[str]:
    stack.daemon.process.send_signal(signal.SIGSTOP)
    try:
        yield stack.send("job.begin", fresh("unread")).id
    finally:
        os.kill(stack.daemon.process.pid, signal.SIGCONT)
        stack.wait_ready()


@contextlib.contextmanager
def _unreachable_smtp(stack: Stack) -> Iterator[str]:
    yield stack.producer.send(commands.invoice(fresh("unsent"))).id


@contextlib.contextmanager
def _replayed_batch(stack: Stack) -> Iterator[str]:
    jobs = [Command("job.begin", {"job_id": fresh("again")}) for _ in range(BATCH)]
    stack.producer.send_all(jobs)
    until(lambda: stack.trace(jobs[-1].id).count("command.accepted"), "the first batch is in effect")
    yield stack.producer.send_all(jobs)[0].id


PROBLEMS = (
    Problem(
        "no worker",
        _no_worker,
        (
            Sight(DOCTOR, "jobs is polled by no worker", "task queue", "fail"),
            Sight(TRACE, "for a worker that polls the task queue jobs"),
        ),
    ),
    Problem(
        "wrong queue",
        _wrong_queue,
        (
            Sight(DOCTOR, "finance is polled by 1 worker(s)", "task queue", "ok"),
            Sight(DOCTOR, "finanse is polled by no worker", "task queue", "fail"),
            Sight(TRACE, "for a worker that polls the task queue finanse"),
        ),
    ),
    Problem(
        "replayed batch",
        _replayed_batch,
        (Sight(DOCTOR, "commands came again", "duplicates", "warn"), Sight(TRACE, "command.duplicate")),
    ),
    Problem(
        "unreachable SMTP",
        _unreachable_smtp,
        (
            Sight(DOCTOR, ": Error connecting to", "smtp", "fail"),
            Sight(TRACE, "times (SMTPConnectError) and is tried again"),
        ),
    ),
    Problem(
        "full lane",
        _full_lane,
        (
            Sight(DOCTOR, "command(s) wait, the first since", "lane", "warn"),
            Sight(DOCTOR, "partitions are paused: too much waits", "paused", "warn"),
            Sight(TRACE, "it is not done yet: the group has come to"),
        ),
    ),
    Problem(
        "bad records",
        _bad_records,
        (
            Sight(DOCTOR, "invalid since this process started", "dead letters", "warn"),
            Sight(DOCTOR, "partitions are paused: its last records were bad", "paused", "warn"),
            Sight(DOCTOR, "job.mislead: the last 100 records were bad", "alert", "warn"),
            Sight(TRACE, "rejected: invalid"),
        ),
    ),
    Problem(
        "missing topic",
        _missing_topic,
        (
            Sight(DOCTOR, "job.announcements is missing", "topics", "fail"),
            Sight(DOCTOR, "is up, but not ready: topics: ", "daemon", "fail"),
        ),
    ),
    Problem(
        "slow Temporal",
        _slow_temporal,
        (
            Sight(DOCTOR, "s to answer", "temporal", "warn"),
            Sight(DOCTOR, "Temporal's newest answers to commands took ", "answers", "warn"),
        ),
    ),
    Problem(
        "dead consumer",
        _dead_consumer,
        (
            Sight(DOCTOR, "takes the call and says nothing for 5 s: it stands still", "daemon", "fail"),
            Sight(DOCTOR, "nobody is in the group operations, and ", "group", "fail"),
            Sight(TRACE, "it is not done yet: the group has come to"),
        ),
    ),
    Problem(
        "expired credentials",
        _expired_credentials,
        (
            Sight(DOCTOR, "refuses the login", "kafka", "fail"),
            Sight(DOCTOR, "is up, but not ready: kafka: ", "daemon", "fail"),
        ),
    ),
)
"""In this order they are planted: those that no other can be seen beside come last."""

"""Processes that cannot get on: a loop that is held, a log that nobody takes, no descriptors, lethal records."""

import fcntl
import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import inside
from tests.faults.ledger import Steady
from tests.faults.member import Member
from tests.faults.scene import Scene

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

HELD_SECONDS = 60
PIPE_BYTES = 4096  # the least that the kernel gives: a dozen lines
STARTED_FILES = 3  # no new descriptor has a number under it
EXHAUSTED_SECONDS = 10.0
DEATHS_MAX = 5  # three of everybody, two of what is begun alone
ALONE_WITHIN_SECONDS = 240  # up to a thousand records are begun one by one
LEAP_SECONDS = 3600


@pytest.mark.fault(9)
def test_a_loop_that_is_held_for_a_minute_leaves_its_partitions_to_the_other_member(scene: Scene) -> None:
    (other,) = scene.running()
    held = scene.add(**{inside.NAME: "block", inside.BLOCK_SECONDS: str(HELD_SECONDS)})
    held.start()
    scene.until(lambda: len(scene.groups.members(scene.group)) == 2, "both have joined")
    work = scene.orders.work()
    scene.ledger.send(work[:500])
    scene.until_answered(100)
    assigned = len(other.said("partitions assigned"))
    began = time.monotonic()
    os.kill(held.pid, signal.SIGUSR1)
    scene.until(lambda: len(other.said("partitions assigned")) > assigned, "the other one has all partitions")
    assert not held.is_ready()
    scene.ledger.send(work[500:])
    scene.until_answered(1000, HELD_SECONDS - 10)  # long before the loop is let go
    assert time.monotonic() - began < HELD_SECONDS
    scene.until(held.is_ready, "it goes on", HELD_SECONDS)
    held_for = time.monotonic() - began
    assert held_for > HELD_SECONDS
    scene.until_settled()
    scene.check(20, held_for=held_for)


@contextmanager
def unread_pipe(folder: Path) -> Iterator[tuple[Path, int]]:
    """Give a pipe that takes a few lines, and its reader, who does not read."""
    path = folder / "log"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        yield path, reader
    finally:
        os.close(reader)


def mixed_with_poison(scene: Scene) -> None:
    """Send a thousand commands, and bad records between them: each has a line in the log."""
    work = scene.orders.work()
    for begin in range(0, len(work), 20):
        scene.ledger.send(work[begin : begin + 20])
        scene.poison("lead.score", 1, [f"{scene.prefix}-{begin}"])


@pytest.mark.fault(39)
def test_a_log_that_nobody_reads_holds_up_no_command(scene: Scene, tmp_path: Path) -> None:
    with unread_pipe(tmp_path) as (path, reader):
        member = scene.add_mute(path)
        member.start()
        mixed_with_poison(scene)
        scene.until_settled()
        full = len(os.read(reader, 2 * PIPE_BYTES))
        assert full > PIPE_BYTES - 1024  # not one line more would have gone in
        scene.check(unread=full)  # before it ends: nobody else would tell of the last runs' ends
        assert member.terminate() == 0


@pytest.mark.fault(39)
def test_a_full_disk_under_the_log_holds_up_no_command(scene: Scene) -> None:
    full = Path("/dev/full")
    member = scene.add_mute(full)
    member.start()
    mixed_with_poison(scene)
    scene.until_settled()
    scene.check(lines_that_found_no_room=member.metric("bridge_dead_letters_total"))
    assert member.terminate() == 0


@pytest.mark.fault(42)
def test_a_process_without_descriptors_goes_on_once_it_has_some(scene: Scene) -> None:
    wire = scene.over_the_wire()
    (member,) = scene.running()
    work = scene.orders.work()
    scene.ledger.send(work[:500])
    scene.until_answered(200)
    before = member.usage().descriptors
    soft, hard = resource.prlimit(member.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(member.pid, resource.RLIMIT_NOFILE, (STARTED_FILES, hard))
    for proxy in (wire, scene.proxy):
        proxy.reset()
    refused = wire.seen.connections
    answered = scene.answered()
    scene.ledger.send(work[500:])
    began, taken = time.monotonic(), member.cpu_seconds()
    # Nobody asks it anything meanwhile: libuv sheds a connection that it cannot take by a descriptor that it keeps for
    # that, which this limit forbids too; it would try to take it without end.
    time.sleep(EXHAUSTED_SECONDS - (time.monotonic() - began))
    spent = member.cpu_seconds() - taken
    assert not member.is_ready()
    stood_still = 1000 - scene.answered()
    assert (wire.seen.connections, scene.answered() - answered < 300) == (refused, True)
    resource.prlimit(member.pid, resource.RLIMIT_NOFILE, (soft, hard))
    scene.healed()
    member.wait_ready()
    scene.until_settled()
    scene.check(60, stood_still=stood_still)
    assert member.usage().descriptors <= before * 1.1 + 2
    assert spent < EXHAUSTED_SECONDS / 2


def deaths(scene: Scene, member: Member) -> int:
    """Start a process again each time it dies, until all is done; return how often it died."""
    count = 0
    while not (scene.answered() >= 1000 and scene.letters() == 1):
        if not member.program.is_running():
            count += 1
            assert count <= DEATHS_MAX, member.program.text
            member.begin()
        scene.until(
            lambda: not member.program.is_running() or (scene.answered() >= 1000 and scene.letters() == 1),
            "it dies, or all is done",
            ALONE_WITHIN_SECONDS,
        )
    return count


@pytest.mark.fault(38)
def test_a_record_that_ends_its_process_each_time_is_put_aside_and_its_neighbours_are_carried_out(
    scene: Scene,
) -> None:
    member = scene.add(**{inside.NAME: "lethal"})
    member.begin()
    work = scene.orders.work()
    scene.ledger.send(work[:500])
    headers = [("ce_specversion", b"1.0"), ("ce_id", b"lethal"), ("ce_source", b"/faults"), ("ce_type", b"lead.score")]
    value = b'{"' + inside.LETHAL + b'": true}'
    scene.ledger.send_poison(f"{scene.prefix}-lethal", "lead.score", work[0].key, value, headers)
    scene.ledger.send(work[500:])
    died = deaths(scene, member)
    scene.until_settled()
    scene.check(120, died=died)


@pytest.mark.fault(40)
def test_a_clock_that_leaps_by_an_hour_and_back_changes_nothing(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("0")
    member = scene.add(**{inside.NAME: "clock", inside.CLOCK_FILE: str(file)})
    other = scene.add()
    for each in (member, other):
        each.start()
    work = scene.orders.work()
    with Steady(scene.ledger, work, a_second=60) as sending:
        for number, leap in enumerate((LEAP_SECONDS, -LEAP_SECONDS, 0), start=1):
            scene.until_answered(200 * number)
            file.with_suffix(".new").write_text(str(leap))
            file.with_suffix(".new").rename(file)
        sending.join()
    scene.until_settled()
    asked = {float(line) for line in file.with_suffix(".asked").read_text().splitlines()}
    scene.check(20, leaps=len(asked & {LEAP_SECONDS, -LEAP_SECONDS}), commands=member.metric("bridge_commands_total"))
    assert asked == {0, LEAP_SECONDS, -LEAP_SECONDS}

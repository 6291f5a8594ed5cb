import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.dev import processes

GONE_WITHIN_SECONDS = 10.0  # the contract's

# A child that SIGTERM does not end, and a child of its own. Both hold the pipe `$0` open for as long as they live.
STUBBORN = 'trap "" TERM; exec 9>"$0"; sleep 600 & echo begun >&9; sleep 600'

PARENT = """
import pathlib, sys, time
from bridge.dev import processes
guard = processes.Guard().__enter__()
guard.spawn(["/bin/sh", "-c", sys.argv[1], sys.argv[2]], log=pathlib.Path(sys.argv[3]))
time.sleep(600)
"""


@contextlib.contextmanager
def parent_of_a_stubborn_child(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Give a running parent, and a pipe that ends when its child and grandchild have ended."""
    fifo = folder / "alive"
    os.mkfifo(fifo)
    alive = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, STUBBORN, str(fifo), str(folder / "child.log")])
    try:
        assert select.select([alive], [], [], 20.0)[0], "the child did not begin"
        assert os.read(alive, 100) == b"begun\n"
        yield parent, alive
    finally:
        parent.kill()
        parent.wait()
        os.close(alive)


def test_kill_9_of_the_parent_ends_children_and_their_children(tmp_path: Path) -> None:
    with parent_of_a_stubborn_child(tmp_path) as (parent, alive):
        parent.kill()
        assert select.select([alive], [], [], GONE_WITHIN_SECONDS)[0] == [alive]
        assert os.read(alive, 100) == b""


def test_the_guard_outlives_signals_that_a_terminal_sends(tmp_path: Path) -> None:
    with processes.Guard() as guard:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            guard._process.send_signal(number)
        code = guard.run(["/bin/sh", "-c", "exit 7"], log=tmp_path / "log")
        assert code == 7
        assert guard._process.poll() is None


def test_the_guard_ends_with_its_parents_work(tmp_path: Path) -> None:
    with processes.Guard() as guard:
        child = guard.spawn(["sleep", "600"], log=tmp_path / "log")
    assert child.returncode == -signal.SIGKILL
    assert guard._process.returncode == 0


def test_what_killing_a_child_leaves_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "container"
    left.touch()
    with processes.Guard() as guard:
        guard.spawn(["sleep", "600"], log=tmp_path / "log", removal=["rm", str(left)])
    assert not left.exists()


def test_what_a_child_that_has_ended_left_is_its_own_matter(tmp_path: Path) -> None:
    left = tmp_path / "container"
    left.touch()
    with processes.Guard() as guard:
        child = guard.spawn(["true"], log=tmp_path / "log", removal=["rm", str(left)])
        child.wait()
        guard.ended(child)
    assert left.exists()


def test_the_output_of_a_child_is_in_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    with processes.Guard() as guard:
        guard.run(["/bin/sh", "-c", "echo out; echo err >&2"], log=log)
    assert log.read_text() == "out\nerr\n"


def test_nothing_is_started_once_everything_was_killed(tmp_path: Path) -> None:
    with processes.Guard() as guard:
        guard.kill_all()
        with pytest.raises(Exception, match="everything is being stopped"):
            guard.spawn(["sleep", "600"], log=tmp_path / "log")

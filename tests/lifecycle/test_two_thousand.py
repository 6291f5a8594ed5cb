"""Many runs that end at once, one bridge of two killed in the middle."""

import dataclasses
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from bridge.dev import processes
from tests.lifecycle import deployment, plays
from tests.lifecycle.plays import COMPLETE, FAIL
from tests.lifecycle.stage import Stage
from tests.servers.fixtures import Temporal

RUNS = 2000
TIMED_OUT = 600
BY_WORKER = 10  # of each way that takes a worker: such an end is four writes of the server's, the others are one
WITHIN_MS = 10_000
TERMINATED_OVER_SECONDS = 5.0
ALL_WITHIN_SECONDS = 120.0
DATABASE = "--db-filename"
# The one SQLite of the server holds all, and each run that it lists, and each callback, takes as much of its time as
# an end. So it lists 100 runs a second here and calls each bridge 20 times a second, as a production server that is
# behind: what ends does not wait for that, and is announced later.
BEHIND = {"history.visibilityProcessorMaxPollRPS": 1, "history.outboundQueue.hostScheduler.maxTaskRPS": 20}


@pytest.fixture
def verbs() -> deployment.Verbs:
    """Give those too whose runs no worker takes, so that the server has nothing to do for them until they end."""
    return {**deployment.VERBS, **deployment.UNSERVED}


@pytest.fixture
def temporal(guard: processes.Guard, tmp_path: Path) -> Iterator[Temporal]:
    """Give a server that keeps its runs in memory, and has time for those that end."""
    temporal = Temporal(guard, tmp_path)
    argv = list(temporal.program.argv)
    del argv[argv.index(DATABASE) : argv.index(DATABASE) + 2]
    for key, value in BEHIND.items():
        argv += ["--dynamic-config-value", f"{key}={value}"]
    temporal.program = dataclasses.replace(temporal.program, argv=tuple(argv))
    temporal.start()
    temporal.wait_ready()
    yield temporal
    temporal.stop()


@pytest.mark.faults
@pytest.mark.alone
@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", ["sweep", "callbacks"])
def test_2_000_runs_that_end_within_10_seconds_are_announced_though_one_bridge_of_two_is_killed(
    stage: Stage, seed: int, mode: str
) -> None:
    stage.running(2)
    names = [f"run-{number:04}" for number in range(RUNS)]
    by_worker, timed_out, terminated = names[: 3 * BY_WORKER], names[-TIMED_OUT:], names[3 * BY_WORKER : -TIMED_OUT]
    stage.have_begun(terminated, "leave", ALL_WITHIN_SECONDS)
    stage.begin(by_worker)
    owner = stage.owner()
    assert owner is not None
    first_times_out = time.monotonic() + plays.LATE_TIMEOUT.total_seconds()
    stage.have_begun(timed_out, "late")
    assert time.monotonic() < first_times_out, "the server is too slow to begin the runs before the first times out"
    stage.until(lambda: time.monotonic() >= first_times_out, "the first times out")

    ids = set(map(stage.workflow_id, names))
    worked = list(map(stage.workflow_id, by_worker))
    cancelled, failed, completed = (worked[number::3] for number in range(3))
    left = list(map(stage.workflow_id, terminated))
    Random(seed).shuffle(left)  # noqa: S311 - repeatable on purpose
    stage.hand.cancel(cancelled)
    stage.hand.cue(dict.fromkeys(failed, FAIL) | dict.fromkeys(completed, COMPLETE))
    stage.hand.until_closed(worked)  # else each of their writes waits behind those of a thousand other ends
    middle = time.monotonic() + TERMINATED_OVER_SECONDS / 2
    with ThreadPoolExecutor(1) as hands:
        terminating = hands.submit(stage.hand.terminate, left, TERMINATED_OVER_SECONDS)
        stage.until(lambda: time.monotonic() >= middle and stage.ends_told(ids) > 0, "the first end is announced")
        owner.kill()
        killed_ms = time.time() * 1000
        terminating.result()
    told = stage.ends_told(ids)
    stage.hand.until_closed(ids)

    found = stage.check()
    ended = [run for run in found.ours if run.workflow_id in ids]
    first_ms, last_ms = min(run.closed_ms for run in ended), max(run.closed_ms for run in ended)
    before = sum(run.closed_ms < killed_ms for run in ended)
    states = Counter(run.state for run in ended)
    last = {state: max(run.closed_ms - first_ms for run in ended if run.state == state) for state in states}
    print(f"{stage.prefix}: {states}, {before} of them before the kill, {told} told when all was asked for")  # noqa: T201 - shown where the test fails, or with -s
    print(f"{stage.prefix}: ended in {last_ms - first_ms} ms; the last of each state, in ms: {last}")  # noqa: T201 - likewise
    assert states == {
        "terminated": len(left),
        "timed_out": TIMED_OUT,
        "cancelled": BY_WORKER,
        "failed": BY_WORKER,
        "completed": BY_WORKER,
    }
    assert last_ms - first_ms <= WITHIN_MS
    assert RUNS // 10 < before < RUNS - RUNS // 10
    assert told < RUNS

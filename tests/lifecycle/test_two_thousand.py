"""Many runs that end at once, one bridge of two killed in the middle."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from bridge.dev import processes
from tests.lifecycle.plays import COMPLETE, FAIL
from tests.lifecycle.stage import Stage
from tests.servers.fixtures import Temporal

RUNS = 2000
DATABASE = "--db-filename"
BY_WORKER = 150  # of each way that takes a worker: a small one ends some 50 a second beside all else
WITHIN_MS = 60_000  # a development server on three busy cores ends some 90 a second
ALL_WITHIN_SECONDS = 120.0


@pytest.fixture
def temporal(guard: processes.Guard, tmp_path: Path) -> Iterator[Temporal]:
    """Give a server that keeps its runs in memory: on a disk it ends some 60 a second."""
    temporal = Temporal(guard, tmp_path)
    argv = list(temporal.program.argv)
    del argv[argv.index(DATABASE) : argv.index(DATABASE) + 2]
    temporal.program = dataclasses.replace(temporal.program, argv=tuple(argv))
    temporal.start()
    temporal.wait_ready()
    yield temporal
    temporal.stop()


@pytest.mark.faults
@pytest.mark.timeout(400)
def test_2_000_runs_that_end_together_are_announced_though_one_bridge_of_two_is_killed(stage: Stage, seed: int) -> None:
    stage.running(2)
    names = [f"run-{number:04}" for number in range(RUNS)]
    stage.begin(names, ALL_WITHIN_SECONDS)
    ids = [stage.workflow_id(name) for name in names]
    Random(seed).shuffle(ids)  # noqa: S311 - repeatable on purpose
    parts = (ids[:BY_WORKER], ids[BY_WORKER : 2 * BY_WORKER], ids[2 * BY_WORKER : 3 * BY_WORKER], ids[3 * BY_WORKER :])
    cancelled, failed, completed, terminated = parts
    owner = stage.owner()
    assert owner is not None

    with ThreadPoolExecutor(3) as hands:
        ending = [
            hands.submit(stage.hand.cancel, cancelled),
            hands.submit(stage.hand.cue, dict.fromkeys(failed, FAIL) | dict.fromkeys(completed, COMPLETE)),
            hands.submit(stage.hand.terminate, terminated),
        ]
        stage.until(lambda: stage.ends_told(ids) > RUNS // 10, "a tenth of the ends is announced")
        owner.kill()
        for one in ending:
            one.result()
    told = stage.ends_told(ids)
    stage.hand.until_closed(ids)

    found = stage.check()
    closed = [run.closed_ms for run in found.ours if run.workflow_id in set(ids)]
    states = Counter(run.state for run in found.ours)
    print(f"{stage.prefix}: {states} in {max(closed) - min(closed)} ms, {told} told at the kill")  # noqa: T201 - shown where the test fails, or with -s
    assert RUNS // 10 < told < RUNS
    assert max(closed) - min(closed) <= WITHIN_MS
    assert len(closed) == RUNS

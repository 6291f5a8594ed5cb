"""Many runs that end at once, one bridge of two killed in the middle."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.lifecycle.plays import COMPLETE, FAIL
from tests.lifecycle.stage import Stage

RUNS = 2000
BY_WORKER = 150  # of each way that takes a worker: a small one ends some 50 a second beside all else
WITHIN_MS = 10_000
ALL_WITHIN_SECONDS = 120.0


@pytest.mark.faults
@pytest.mark.timeout(400)
def test_2_000_runs_that_end_within_10_seconds_are_announced_though_one_bridge_of_two_is_killed(
    stage: Stage, seed: int
) -> None:
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

"""The feed's clock: right at the start of the process, and deaf to who sets the machine's clock later."""

import time

import pytest

from bridge.feed import clock

HOUR_SECONDS = 3600


def test_it_tells_the_time() -> None:
    assert abs(clock.now_ms() - time.time() * 1000) < 1000


@pytest.mark.parametrize("leap", [HOUR_SECONDS, -HOUR_SECONDS])
def test_a_clock_that_is_set_while_the_process_runs_moves_nothing(leap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + leap)
    assert abs(clock.now_ms() - real() * 1000) < 1000

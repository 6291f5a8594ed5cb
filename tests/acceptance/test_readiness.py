"""A daemon without any command to carry out tells the truth about its servers within ten seconds."""

import json
import time
from collections.abc import Callable

import pytest

from bridge.dev.server import Server
from tests.acceptance import program
from tests.acceptance.conftest import Line

WITHIN_SECONDS = 10.0
BACK_WITHIN_SECONDS = 60.0


def temporal(line: Line) -> Server:
    return line.temporal


def kafka(line: Line) -> Server:
    return line.kafka


@pytest.mark.parametrize("which", [temporal, kafka])
def test_a_server_that_is_away_turns_readiness_red_by_name_and_green_when_it_is_back(
    line: Line, which: Callable[[Line], Server]
) -> None:
    page, server = f"{line.admin}/readyz", which(line)
    program.wait_for_status(page, 200, line.daemon)
    server.kill()
    killed = time.monotonic()
    try:
        program.wait_for_status(page, 503, line.daemon, WITHIN_SECONDS)
        red_after = time.monotonic() - killed
        problems = told(page, which.__name__, killed)
        paused = until_paused(line)
    finally:
        server.start()
        server.wait_ready()
    program.wait_for_status(page, 200, line.daemon, BACK_WITHIN_SECONDS)
    assert (which.__name__ in problems, red_after < WITHIN_SECONDS, paused > 0) == (True, True, True), problems


def until_paused(line: Line) -> float:
    """Return how many partitions are paused, once some are, or 0 when the time is over."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        rows = program.get(f"{line.admin}/metrics")[1].splitlines()
        paused = [float(row.split()[1]) for row in rows if row.startswith("bridge_paused_partitions ")]
        if any(paused) or time.monotonic() > deadline:
            return sum(paused)
        time.sleep(program.LOOK_SECONDS)


def told(page: str, part: str, since: float) -> dict[str, str]:
    """Return the problems once one has a name, or as they are when the time is over."""
    while True:
        problems: dict[str, str] = json.loads(program.get(page)[1])["problems"]
        if part in problems or time.monotonic() - since > WITHIN_SECONDS:
            return problems
        time.sleep(program.LOOK_SECONDS)

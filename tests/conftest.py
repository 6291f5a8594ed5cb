"""What every test shares: the real servers, and a safe way out."""

import os
import signal
import sys
from datetime import timedelta

import hypothesis
import pytest
from xdist.remote import Producer

from tests import sharing
from tests.servers import choice

pytest_plugins = ["tests.servers.fixtures"]

# Its own limits of time (200 ms for an example) say more of the other work on a machine than of the example.
hypothesis.settings.register_profile(
    "tests", deadline=timedelta(seconds=5), suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")

_SESSION = pytest.StashKey[pytest.Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--servers", choices=[*choice.Servers], help=choice.HELP)


def pytest_configure(config: pytest.Config) -> None:
    servers = choice.chosen(config.getoption("--servers"))
    if missing := choice.missing(servers, config.getoption("numprocesses") or 1) or choice.unfit(servers):
        raise pytest.UsageError(missing)
    os.environ[choice.VARIABLE] = servers


def pytest_report_header() -> str:
    return f"servers: {choice.current()}"


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_SESSION] = session
    # A shell lets what it starts in the background ignore Ctrl-C, and the programs that are tested would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: sharing.place(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> sharing.Sharing:
    return sharing.Sharing(config, log)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave with pytest's own code, past the interpreter's exit: the Temporal client can abort or hang there."""
    session = config.stash.get(_SESSION, None)
    if session is None:  # --help, --version
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(session.exitstatus))

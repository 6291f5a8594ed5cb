"""What lets the processes of pytest-xdist run side by side."""

import re
from pathlib import Path

from bridge.dev import ports as product
from tests import sharing
from tests.servers import ports

TESTS = Path(sharing.__file__).parent
PACKAGE = re.compile(r'^@pytest\.fixture\(scope="package"', re.MULTILINE)


def test_a_folder_whose_tests_share_servers_is_run_by_one_process() -> None:
    files = [file for file in TESTS.rglob("*.py") if PACKAGE.search(file.read_text())]
    shared = {file.parent.name for file in files}
    together = {name for name in sharing.TOGETHER if (TESTS / name).is_dir()}
    assert (shared - together, set(sharing.TOGETHER) - together) == (set(), set())


def test_other_tests_are_dealt_by_module_after_the_folders() -> None:
    tests = ["tests/acceptance/test_a.py::test_b[c/d::e]", "tests/engine/test_a.py::test_b[c/d::e]"]
    assert [sharing.share(test) for test in tests] == ["acceptance", "tests/engine/test_a.py"]
    assert sharing.place(tests[0]) < sharing.place(tests[1])


def test_a_port_belongs_to_one_of_two_processes() -> None:
    both = [{"PYTEST_XDIST_WORKER": name, "PYTEST_XDIST_WORKER_COUNT": "2"} for name in ("gw0", "gw1")]
    assert [[ports.is_share(port, one) for one in both] for port in (10000, 10001)] == [[True, False], [False, True]]
    assert [ports.is_share(port, {}) for port in (10000, 10001)] == [True, True]


def test_a_port_that_was_given_is_not_one_that_the_product_may_choose() -> None:
    assert ports.FREE_FROM <= ports.free() < ports.FREE_TO <= product.FREE_FROM

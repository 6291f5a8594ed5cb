"""Each test that the guarantees name is there."""

import re

import pytest

from tests.docs import render

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (render.ROOT / "docs" / "guarantees.md").read_text())


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_a_guarantee_names_is_there(file: str, name: str) -> None:
    assert re.search(rf"def {name}\(", (render.ROOT / file).read_text())

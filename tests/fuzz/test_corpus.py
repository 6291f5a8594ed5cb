"""Every input that is kept still holds its property."""

from pathlib import Path

import pytest

from tests.fuzz import corpus, properties

INPUTS = [
    pytest.param(target, data, id=f"{target}/{name}")
    for target in corpus.TARGETS
    for name, data in corpus.of(target).items()
]


@pytest.mark.parametrize(("target", "data"), INPUTS)
def test_an_input_of_the_corpus_holds_its_property(target: str, data: bytes, tmp_path: Path) -> None:
    properties.target(target, tmp_path)(data)

"""What a callback carries: made and read back with the same secret only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.callback import Origin, Signer

SIGNER = Signer("http://bridge:8089", "secret", "g")


@given(workflow_id=st.text(st.characters(codec="utf-8"), max_size=255))
def test_what_was_signed_is_read_back_whatever_the_workflow_id_holds(workflow_id: str) -> None:
    token = SIGNER.token("default", "r:1", workflow_id)
    assert token.isascii()
    assert SIGNER.read(token) == Origin("default", "r:1", workflow_id)


@given(token=st.text(st.characters(codec="utf-8")))
def test_what_was_not_signed_is_not_read(token: str) -> None:
    assert SIGNER.read(token) is None


@pytest.mark.parametrize(
    "other",
    [Signer("http://bridge:8089", "other", "g"), Signer("http://bridge:8089", "secret", "other")],
    ids=["secret", "group"],
)
def test_another_secret_or_group_signs_otherwise(other: Signer) -> None:
    assert SIGNER.read(other.token("default", "r", "w")) is None


def test_the_address_is_that_of_the_group() -> None:
    assert (SIGNER.url, SIGNER.path) == ("http://bridge:8089/callbacks/g", "/callbacks/g")

import uuid

from hypothesis import given
from hypothesis import strategies as st

from topics import ids


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_an_id_is_the_uuid5_of_its_parts(parts: list[str]) -> None:
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "kafka-temporal-bridge/reply")
    wanted = uuid.uuid5(namespace, "\x1f".join(parts))
    assert (ids.event_id("reply", *parts), ids.text("reply", *parts)) == (wanted, str(wanted))

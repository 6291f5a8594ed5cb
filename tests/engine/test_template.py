"""Workflow ids are filled in, never interpreted."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import routes, template

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
literals = st.text(st.characters(exclude_characters="{}", codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(literals, names), max_size=4), literals, st.data())
def test_a_template_is_its_literals_around_its_fields(
    pieces: list[tuple[str, str]], last: str, data: st.DataObject
) -> None:
    values = {name: data.draw(st.text(min_size=1) | st.integers()) for _, name in pieces}
    parsed = template.parse("".join(f"{literal}{{{name}}}" for literal, name in pieces) + last)
    filled = parsed.fill(values)
    assert filled == "".join(f"{literal}{values[name]}" for literal, name in pieces) + last
    assert parsed.could_be(filled)


@given(st.from_regex(r"[-a]{0,2}(\{f\}[-a]{0,2}){0,3}", fullmatch=True), st.text("-a", max_size=12))
def test_a_text_could_be_a_template_that_is_filled_where_a_pattern_says_so(text: str, filled: str) -> None:
    pattern = ".+".join(map(re.escape, text.split("{f}")))
    assert template.parse(text).could_be(filled) == (re.fullmatch(pattern, filled) is not None)


def test_whether_a_long_text_could_be_a_template_of_many_fields_is_soon_told() -> None:
    many = template.parse("-".join(f"{{f{number}}}" for number in range(8)) + "-end")
    began = time.process_time()
    assert not many.could_be("-" * 255)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("wrong", ["a-{id", "a-id}", "{}", "{0}", "{a.b}", "{a!r}", "{{id}}", "{a b}"])
def test_a_wrong_template_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"brace|not a field's name"):
        template.parse(wrong)


@pytest.mark.parametrize("value", [None, "", True, 1.5, ["a"], {"a": 1}])
def test_a_field_that_is_no_text_and_no_integer_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="id: must be text or an integer"):
        template.parse("a-{id}").fill({"id": value})


@pytest.mark.parametrize("value", ["{id}", "{0.__class__}", "${HOME}", "%s", "{{x}}"])
def test_what_fills_a_template_is_literal(value: str) -> None:
    assert template.parse("a-{id}").fill({"id": value}) == f"a-{value}"


def test_the_topics_whose_commands_could_start_a_workflow_id_are_known() -> None:
    table = routes.table(["invoice", "lead"])
    assert [table.topics_that_start(name) for name in ("invoice-1", "lead-1", "invoice-", "other")] == [
        ("invoice.process",),
        ("lead.score",),
        (),
        (),
    ]

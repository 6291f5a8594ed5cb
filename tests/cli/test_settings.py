from pathlib import Path

import pytest

from bridge import errors, settings
from bridge.settings import Settings


def load(text: str, folder: Path, **environment: str) -> Settings:
    file = folder / "prod.toml"
    file.write_text(text)
    return settings.load({"BRIDGE_CONFIG": str(file), **environment})


def problems(text: str, folder: Path, **environment: str) -> list[str]:
    with pytest.raises(errors.ConfigurationError) as caught:
        load(text, folder, **environment)
    return [problem.replace(str(folder / "prod.toml"), "FILE") for problem in caught.value.problems]


def test_without_a_file_everything_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = settings.load({})
    assert (loaded.domains, loaded.skip_unroutable) == (("invoice", "campaign", "lead"), frozenset())


def test_the_file_of_the_current_folder_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bridge.toml").write_text('[bridge]\ngroup_id = "billing"')
    assert settings.load({}).bridge.group_id == "billing"


def test_the_environment_goes_before_the_file_and_a_flag_before_both(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('[bridge]\ngroup_id = "file"\nmax_in_flight = 7\nmax_waiting = 8')
    environment = {"BRIDGE_CONFIG": str(file), "BRIDGE_GROUP_ID": "environment", "BRIDGE_MAX_WAITING": "9"}
    bridge = settings.load(environment, {"bridge": {"group_id": "flag"}}).bridge
    assert (bridge.group_id, bridge.max_waiting, bridge.max_in_flight) == ("flag", 9, 7)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(errors.ConfigurationError) as caught:
        settings.load({"BRIDGE_CONFIG": str(missing)})
    assert caught.value.problems == (f"BRIDGE_CONFIG names {missing}, which is not there: correct it, or unset it.",)


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems('domains = ["lead"]\n[bridge\n', tmp_path)
    assert problem.startswith("FILE is not TOML: ")
    assert "line 2" in problem


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000], ids=["a number without end", "lists in lists"])
def test_what_the_parser_stumbles_over_is_no_toml(value: str, tmp_path: Path) -> None:
    (problem,) = problems(f"domains = {value}", tmp_path)
    assert problem.startswith("FILE is not TOML: ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(errors.ConfigurationError, match="not UTF-8"):
        settings.load({"BRIDGE_CONFIG": str(file)})


def test_unknown_keys_are_named_with_the_nearest_known_one_all_at_once(tmp_path: Path) -> None:
    text = """
    domain = ["invoice"]
    [bridge]
    group = "x"
    [kafak]
    [[topic]]
    name = "invoice.process"
    unrouteable = "skip"
    """
    assert problems(text, tmp_path, BRIDGE_GRUOP_ID="x") == [
        "BRIDGE_GRUOP_ID is not a setting; did you mean BRIDGE_GROUP_ID?",
        "FILE: group in [bridge] is not a setting; did you mean group_id?",
        "FILE: [[topic]] number 1: unrouteable is not known; did you mean unroutable?",
        "FILE: domain is not known; did you mean domains?",
        "FILE: kafak is not known; did you mean kafka?",
    ]


@pytest.mark.parametrize(("text", "expected"), [("[]", ()), ('["lead", "invoice"]', ("invoice", "lead"))])
def test_domains_say_what_runs(tmp_path: Path, text: str, expected: tuple[str, ...]) -> None:
    assert load(f"domains = {text}", tmp_path).domains == expected


def test_an_unknown_domain_is_refused(tmp_path: Path) -> None:
    assert problems('domains = ["invioce"]', tmp_path) == [
        "FILE: domains: invioce is not a domain; did you mean invoice?"
    ]


@pytest.mark.parametrize(
    "text", ['domains = "lead"', "domains = [1]", "bridge = 3", "topic = 3", "[topic]", "topic = [1]"]
)
def test_a_value_of_the_wrong_shape_is_refused(tmp_path: Path, text: str) -> None:
    assert len(problems(text, tmp_path)) == 1


def test_a_topic_can_pass_over_what_is_unroutable(tmp_path: Path) -> None:
    text = '[[topic]]\nname = "lead.score"\nunroutable = "skip"\n[[topic]]\nname = "invoice.process"'
    assert load(text, tmp_path).skip_unroutable == frozenset({"lead.score"})


def test_a_topic_that_is_wrong_is_refused(tmp_path: Path) -> None:
    text = """
    [[topic]]
    unroutable = "drop"
    [[topic]]
    name = "lead.scores"
    [[topic]]
    name = "lead.score"
    [[topic]]
    name = "lead.score"
    """
    assert problems(text, tmp_path) == [
        'FILE: [[topic]] number 1: unroutable: give "skip" or "dead_letter".',
        "FILE: [[topic]] number 1: name: give the name of a command topic.",
        "FILE: [[topic]] number 2: name: lead.scores is not a command topic; did you mean lead.score?",
        "FILE: [[topic]] number 4: name: lead.score has a [[topic]] already: make them one.",
    ]


def test_names_of_temporal_and_of_opentelemetry_are_left_to_their_libraries(tmp_path: Path) -> None:
    load("", tmp_path, TEMPORAL_NO_SUCH="1", OTEL_NO_SUCH="1")


def test_temporals_key_can_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y\n")
    loaded = load("", tmp_path, TEMPORAL_API_KEY_FILE=str(tmp_path / "key"))
    assert loaded.environment["TEMPORAL_API_KEY"] == "k3y"


def test_a_key_file_of_temporals_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (problem,) = problems("", tmp_path, TEMPORAL_API_KEY_FILE=str(tmp_path / "none"))
    assert problem.startswith("TEMPORAL_API_KEY_FILE names ")


def test_the_text_of_settings_shows_no_secret(tmp_path: Path) -> None:
    loaded = load("", tmp_path, KAFKA_SASL_PASSWORD="s3cret", TEMPORAL_API_KEY="s3cret")
    assert "s3cret" not in repr(loaded)

"""The small programs of the image, without an image."""

import importlib.util
from types import ModuleType

import pytest

from tests.compose.stack import FOLDER
from tests.servers import ports


def loaded(name: str) -> ModuleType:
    """Return a program of compose/image, which is no package."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / "image" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "/opt/bridge/bin/bridge", "run"], 0),
        (["python", "-m", "workers", "--queue", "finance"], 0),
        (["python", "/opt/bridge/bin/bridge", "setup", "apply"], 143),
        (["python", "/opt/bridge/bin/bridge", "dlq", "replay", "invoice.process"], 143),
    ],
)
def test_only_a_daemon_that_is_stopped_before_it_has_begun_has_ended_well(words: list[str], expected: int) -> None:
    assert loaded("first_process").code(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python", "-m", "workers", "--queue", "finance", ""], ["--queue", "finance"]),
        (["/sbin/docker-init", "--", "bridge", "worker", "--queue=leads", ""], ["--queue=leads"]),
        (["python", "-m", "workers", ""], []),
        (["python", "/opt/bridge/bin/bridge", "run", ""], None),
    ],
)
def test_a_worker_is_asked_for_the_queues_that_it_was_told(words: list[str], expected: list[str] | None) -> None:
    assert loaded("health").flags_of_worker(words) == expected


@pytest.mark.parametrize("words", [["bridge", "run"], ["python", "-m", "bridge.dev.sink", "{port}", "/mail"]])
def test_what_does_not_answer_is_not_well_and_says_so_in_one_line(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = ports.free()
    monkeypatch.setenv("BRIDGE_ADMIN_ADDRESS", f"0.0.0.0:{port}")
    assert loaded("health").main([word.format(port=port) for word in words]) == 1
    assert capsys.readouterr().out == "it does not answer: [Errno 111] Connection refused\n"

"""The alert rules and the dashboard: made of the tables, kept in the repository, and of metrics that are there."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.telemetry import alerts, dashboard
from bridge.telemetry.alerts import ALERTS, Alert
from bridge.telemetry.instruments import INSTRUMENTS, Form
from bridge.telemetry.names import Metric
from tests.cli.command_line import CommandLine
from tests.telemetry import played

MONITORING = Path(__file__).parents[2] / "compose" / "monitoring"
RULES = MONITORING / "alerts.yml"
FUNCTIONS = {"sum", "max", "by", "and", "or", "unless", "offset", "rate", "increase", "deriv", "changes", "le"}
FUNCTIONS |= {"histogram_quantile"}


def _expressions() -> Iterator[tuple[str, str]]:
    yield from ((alert.name, alert.expression) for alert in ALERTS)
    for panel in dashboard.document()["panels"]:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))


def _words(expression: str) -> list[str]:
    """Return the names in an expression: not its texts, its times, its variables, its numbers."""
    plain = re.sub(r'"[^"]*"|\[[^]]*\]|\b\d[\w.]*', " ", expression)
    return re.findall(r"[a-z_]\w*", plain)


def _series(metric: Metric) -> set[str]:
    parts = ("_bucket", "_sum", "_count") if INSTRUMENTS[metric].form is Form.HISTOGRAM else ("",)
    return {f"{metric}{part}" for part in parts}


@pytest.mark.parametrize(("name", "expression"), list(_expressions()))
def test_an_expression_names_metrics_of_ours_by_labels_that_they_have(name: str, expression: str) -> None:
    words = set(_words(expression)) - FUNCTIONS
    used = {metric for metric in Metric if _series(metric) & words}
    labels = {label for metric in used for label in INSTRUMENTS[metric].labels}
    assert used
    assert words - {series for metric in used for series in _series(metric)} <= labels
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_names_only_labels_that_its_result_has(alert: Alert) -> None:
    told = set(re.findall(r"\$labels\.(\w+)", alert.summary))
    kept = re.search(r"\bby \(([^)]*)\)", alert.expression)
    assert told <= (set(kept[1].split(", ")) if kept else set())


def test_every_metric_has_its_panel() -> None:
    assert sorted(metric for _, metrics in dashboard.ROWS for metric in metrics) == sorted(Metric)


def test_no_panel_lies_on_another() -> None:
    places: list[dict[str, int]] = [panel["gridPos"] for panel in dashboard.document()["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert (len(cells), max(x for x, _ in cells)) == (len(set(cells)), 23)


def test_the_files_are_what_the_command_prints(tmp_path: Path) -> None:
    bridge = CommandLine(tmp_path, {})
    assert bridge.run("export", "alerts").out == RULES.read_text()
    assert bridge.run("export", "dashboard").out == (MONITORING / "dashboard.json").read_text()


def test_the_rules_are_sound(tmp_path: Path) -> None:
    """By promtool where it is there; else as far as a plain reading tells."""
    promtool = shutil.which("promtool")
    if promtool is not None:
        play = tmp_path / "play.yml"
        play.write_text(json.dumps(played.play(RULES)))
        for words in (("check", "rules", RULES), ("test", "rules", play)):
            checked = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
            assert checked.returncode == 0, checked.stdout + checked.stderr
    assert {name for _, name, _ in played.COMES} == {alert.name for alert in ALERTS}
    assert list(_read(RULES.read_text())) == [
        {
            "alert": alert.name,
            "expr": alert.expression,
            "for": alert.lasts,
            "severity": alert.severity,
            "summary": alert.summary,
            "runbook": alert.advice,
        }
        for alert in alerts.ALERTS
    ]


def _read(text: str) -> Iterator[dict[str, Any]]:
    """Yield each rule of the file, as the subset of YAML that it is written in."""
    rule: dict[str, Any] = {}
    for line in text.splitlines():
        name, colon, value = line.strip().removeprefix("- ").partition(": ")
        if name == "alert" and rule:
            yield rule
            rule = {}
        if colon and name != "name":
            rule[name] = json.loads(value) if value.startswith('"') else value
    yield rule

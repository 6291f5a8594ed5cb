"""What the files of compose/ say, checked without Docker."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.cli import dev
from bridge.dev import kafka
from bridge.telemetry import alerts
from tests.compose.stack import FILE, FOLDER, ROOT
from tests.servers import contained

JOBS = {"temporal-schema", "temporal-namespace", "setup", "search-schema"}
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
TEMPORAL_SETTINGS: dict[str, Any] = yaml.safe_load((FOLDER / "temporal" / "dynamic.yaml").read_text())


def test_the_services_have_the_names_that_people_know() -> None:
    expected = {
        *("kafka", "postgres", "temporal", "temporal-ui", "bridge", "workers", "mail"),
        *("prometheus", "jaeger", "grafana", "opensearch"),
    }
    assert set(SERVICES) - JOBS == expected


def test_every_service_has_a_health_check_that_is_no_job() -> None:
    assert [name for name, one in SERVICES.items() if name not in JOBS and "test" not in one["healthcheck"]] == []


def test_every_service_has_limits() -> None:
    limits = {name: set(one["deploy"]["resources"]["limits"]) for name, one in SERVICES.items()}
    assert limits == {name: {"memory", "cpus"} for name in SERVICES}


def test_a_job_that_ends_is_waited_for() -> None:
    waited = {
        name
        for one in SERVICES.values()
        for name, how in one.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert waited == JOBS


@pytest.mark.parametrize(
    ("variable", "flag"),
    [("KAFKA", "kafka_port"), ("TEMPORAL", "temporal_port"), ("TEMPORAL_UI", "ui_port"), ("SMTP", "smtp_port")],
)
def test_the_ports_are_those_of_the_embedded_stack(variable: str, flag: str) -> None:
    assert int(contained.version(f"{variable}_PORT")) == (dev.dev.__kwdefaults__ or {})[flag]


def test_the_kafka_is_that_of_the_embedded_stack() -> None:
    assert contained.version("KAFKA_VERSION") == kafka.VERSION


def test_temporal_has_the_limits_that_were_asked_for() -> None:
    found = {name: TEMPORAL_SETTINGS[name][0]["value"] for name in ("frontend.rps", "history.rps")}
    assert (found, contained.version("TEMPORAL_RETENTION")) == ({"frontend.rps": 1200, "history.rps": 3000}, "168h")


def test_temporal_may_call_the_bridge_back() -> None:
    allowed = TEMPORAL_SETTINGS["callback.allowedAddresses"][0]["value"]
    url = SERVICES["bridge"]["environment"]["BRIDGE_CALLBACK_URL"]
    assert [f"http://{one['Pattern']}" for one in allowed] == [url]


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = [
        volume.split(":")[0]
        for one in SERVICES.values()
        for volume in one.get("volumes", [])
        if volume.startswith("./")
    ]
    assert [path for path in mounted if not (FOLDER / path).exists()] == []


def test_prometheus_has_the_rules_that_bridge_export_prints() -> None:
    told = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yml").read_text())
    assert told["rule_files"] == ["/etc/prometheus/alerts.yml"]
    assert (FOLDER / "monitoring" / "alerts.yml").read_text() == alerts.rules()


def test_exemplars_are_kept_and_lead_to_their_traces() -> None:
    assert "--enable-feature=exemplar-storage" in SERVICES["prometheus"]["command"]
    sources = yaml.safe_load((FOLDER / "grafana" / "datasources.yaml").read_text())["datasources"]
    prometheus = next(one for one in sources if one["type"] == "prometheus")
    jaeger = next(one for one in sources if one["type"] == "jaeger")
    expected = [{"name": "trace_id", "datasourceUid": jaeger["uid"]}]
    assert prometheus["jsonData"]["exemplarTraceIdDestinations"] == expected


def test_jaeger_is_sent_no_metrics_which_it_refuses() -> None:
    assert contained.version("OTEL_METRICS_EXPORTER") == "none"
    assert SERVICES["workers"]["environment"]["OTEL_METRICS_EXPORTER"] == "${OTEL_METRICS_EXPORTER}"


def test_grafana_finds_its_dashboard_and_its_sources() -> None:
    sources = yaml.safe_load((FOLDER / "grafana" / "datasources.yaml").read_text())["datasources"]
    provider = yaml.safe_load((FOLDER / "grafana" / "dashboards.yaml").read_text())["providers"][0]
    mounts = [volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]]
    assert {one["url"].split("//")[1].split(":")[0] for one in sources} <= set(SERVICES)
    assert f"{provider['options']['path']}/dashboard.json" in mounts
    assert json.loads((FOLDER / "monitoring" / "dashboard.json").read_text())["panels"] != []


def test_what_the_image_is_built_of_is_not_kept_from_it() -> None:
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [path for path in copied if not any(Path(path).is_relative_to(one) for one in allowed)] == []

"""compose/kubernetes, held against the schemas of Kubernetes and of KEDA, strictly: an unknown field is an error."""

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from kubernetes_validate import utils as kubernetes_schemas

from bridge.settings import load
from tests.compose.stack import FOLDER
from topics.environment import reader
from topics.environment.sections import BridgeSection, KafkaSection, WorkersSection

KUBERNETES = FOLDER / "kubernetes"
VERSIONS = ("1.31", "1.37")
SCALED = json.loads(Path(__file__).with_name("scaledobject.schema.json").read_text())
KUSTOMIZATION = "kustomization.yaml"


def documents() -> list[tuple[str, dict[str, Any]]]:
    files = sorted(path for path in KUBERNETES.rglob("*.yaml") if path.name != KUSTOMIZATION)
    return [
        (f"{path.relative_to(KUBERNETES)}:{one['kind']}/{one['metadata']['name']}", one)
        for path in files
        for one in yaml.safe_load_all(path.read_text())
    ]


def kustomization(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((KUBERNETES / folder / KUSTOMIZATION).read_text())
    return found


DOCUMENTS = documents()
PODS = {name: one["spec"]["template"] for name, one in DOCUMENTS if "template" in one.get("spec", {})}
ADDED_LABELS: dict[str, str] = kustomization("base")["labels"][0]["pairs"]


def check(document: Mapping[str, Any], version: str) -> None:
    if document["apiVersion"] == "keda.sh/v1alpha1":
        jsonschema.validate(document, SCALED)
    else:
        kubernetes_schemas.validate(dict(document), version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", [pytest.param(one, id=name) for name, one in DOCUMENTS])
def test_a_manifest_is_what_its_schema_says(document: dict[str, Any], version: str) -> None:
    check(document, version)


@pytest.mark.parametrize("document", [pytest.param(one, id=name) for name, one in DOCUMENTS if "spec" in one])
def test_a_misspelt_field_is_refused(document: dict[str, Any]) -> None:
    wrong = copy.deepcopy(document)
    wrong["spec"]["relpicas"] = 2
    with pytest.raises((jsonschema.ValidationError, kubernetes_schemas.ValidationError), match="relpicas"):
        check(wrong, VERSIONS[-1])


@pytest.mark.parametrize("folder", ["base", "production"])
def test_every_manifest_of_a_folder_is_among_its_resources(folder: str) -> None:
    listed = [name for name in kustomization(folder)["resources"] if name.endswith(".yaml")]
    there = {path.name for path in (KUBERNETES / folder).glob("*.yaml")} - {KUSTOMIZATION}
    assert set(listed) == there


@pytest.mark.parametrize("pod", [pytest.param(one, id=name) for name, one in PODS.items()])
def test_a_pod_has_no_rights_and_bounds(pod: dict[str, Any]) -> None:
    (container,) = pod["spec"]["containers"]
    rights = container["securityContext"]
    assert pod["spec"]["securityContext"]["runAsUser"] == 65532
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (rights["readOnlyRootFilesystem"], rights["allowPrivilegeEscalation"]) == (True, False)
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]) == {"requests", "limits"}


@pytest.mark.parametrize("name", ["base/bridge.yaml:Deployment/bridge", "base/workers.yaml:Deployment/workers"])
def test_what_runs_is_probed_and_has_time_to_drain(name: str) -> None:
    pod = PODS[name]["spec"]
    assert {"startupProbe", "readinessProbe"} <= set(pod["containers"][0])
    assert pod["terminationGracePeriodSeconds"] > load({}).bridge.drain_timeout.total_seconds()


def test_the_port_of_a_token_server_can_be_switched_on_for_every_pod() -> None:
    text = (KUBERNETES / "base" / "network.yaml").read_text()
    as_it_is, switched_on = (
        next(yaml.safe_load_all(each)) for each in (text, re.sub(r"^(\s+)# - ", r"\1- ", text, flags=re.MULTILINE))
    )
    check(switched_on, VERSIONS[-1])
    https = {"protocol": "TCP", "port": 443}
    assert [one["ports"] for one in switched_on["spec"]["egress"]] == [
        as_it_is["spec"]["egress"][0]["ports"],
        [*as_it_is["spec"]["egress"][1]["ports"], https],
    ]
    assert switched_on["spec"]["podSelector"]["matchLabels"] == ADDED_LABELS


def test_every_selector_finds_a_pod() -> None:
    labels = [pod["metadata"]["labels"] | ADDED_LABELS for pod in PODS.values()]
    selectors = {
        name: (one["spec"].get("podSelector") or one["spec"]["selector"])["matchLabels"]
        for name, one in DOCUMENTS
        if one["kind"] in ("NetworkPolicy", "PodDisruptionBudget", "Deployment")
    }
    lost = [name for name, wanted in selectors.items() if not any(wanted.items() <= each.items() for each in labels)]
    assert lost == []


def test_what_scales_is_there() -> None:
    deployments = {one["metadata"]["name"] for _, one in DOCUMENTS if one["kind"] == "Deployment"}
    scaled = {one["spec"]["scaleTargetRef"]["name"] for _, one in DOCUMENTS if one["kind"] == "ScaledObject"}
    assert scaled == deployments


def test_what_scales_is_not_set_back_when_it_is_applied_again() -> None:
    (patch,) = kustomization("production")["patches"]
    assert (patch["target"], yaml.safe_load(patch["patch"])) == (
        {"kind": "Deployment"},
        [{"op": "remove", "path": "/spec/replicas"}],
    )


def test_every_variable_is_one_that_the_programs_know() -> None:
    config = {
        line.split("=", 1)[0]
        for folder in ("base", "production")
        for line in kustomization(folder)["configMapGenerator"][0]["literals"]
    }
    told = {entry["name"] for pod in PODS.values() for entry in pod["spec"]["containers"][0].get("env", [])}
    ours = {
        reader.variable_name(section, field)
        for section in (BridgeSection, KafkaSection, WorkersSection)
        for field in section.model_fields
    }
    unknown = {
        name
        for name in config | told
        if not name.startswith(("TEMPORAL_", "OTEL_")) and name.removesuffix("_FILE") not in ours
    }
    assert unknown == set()


def test_every_secret_that_a_pod_reads_is_in_the_overlay() -> None:
    read = {
        entry["value"].removeprefix("/secrets/")
        for pod in PODS.values()
        for entry in pod["spec"]["containers"][0].get("env", [])
        if entry["name"].endswith("_FILE")
    }
    (secret,) = kustomization("production")["secretGenerator"]
    given = dict(line.split("=", 1) for line in secret["files"])
    assert set(given) == read
    assert [path for path in given.values() if not (KUBERNETES / "production" / path).is_file()] == []


def test_the_secrets_of_the_overlay_are_settings_that_are_accepted() -> None:
    folder = KUBERNETES / "production" / "secrets"
    loaded = load(
        {
            "BRIDGE_ADMIN_TOKEN_FILE": str(folder / "admin-token"),
            "BRIDGE_CALLBACK_URL": "http://bridge.bridge.svc.cluster.local:8089",
            "BRIDGE_CALLBACK_SECRET_FILE": str(folder / "callback-secret"),
            "WORKERS_SMTP_URL_FILE": str(folder / "smtp-url"),
            "WORKERS_DATABASE_URL_FILE": str(folder / "database-url"),
        }
    )
    assert loaded.bridge.callback_secret is not None

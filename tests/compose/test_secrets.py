"""Secrets in files: off until they are named, and known to the programs."""

import re
from pathlib import Path
from typing import Any

import yaml

from bridge import settings
from tests.compose.stack import FILE, FOLDER
from tests.servers import contained

SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
OVERLAY = FOLDER / "kubernetes" / "production" / "kustomization.yaml"
KEY = "2026-11:" + "QUFB" * 10 + "QUE="


def overlay(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings and the secrets of an overlay."""
    found = yaml.safe_load(text)
    pairs = found["configMapGenerator"][0]["literals"], found["secretGenerator"][0]["files"]
    settings_told, files = (dict(line.split("=", 1) for line in lines) for lines in pairs)
    return settings_told, files


def test_bridge_and_workers_of_compose_have_the_same_keys_which_are_not_set() -> None:
    told = {name: SERVICES[name]["environment"]["BRIDGE_PAYLOAD_KEYS_FILE"] for name in ("bridge", "workers")}
    assert told == dict.fromkeys(("bridge", "workers"), "${BRIDGE_PAYLOAD_KEYS_FILE}")
    assert contained.version("BRIDGE_PAYLOAD_KEYS_FILE") == ""


def test_every_file_of_a_secret_can_be_named_in_the_env_file_and_is_not() -> None:
    named = {
        variable: value
        for service in SERVICES.values()
        for variable, value in service.get("environment", {}).items()
        if variable.endswith("_FILE")
    }
    assert named == {variable: f"${{{variable}}}" for variable in named}
    assert {variable: contained.version(variable) for variable in named} == dict.fromkeys(named, "")


def test_whoever_is_told_of_a_file_sees_the_folder() -> None:
    told = {name for name, one in SERVICES.items() if any(key.endswith("_FILE") for key in one.get("environment", {}))}
    assert told == {name for name, one in SERVICES.items() if "${SECRETS_FOLDER}:/secrets:ro" in one.get("volumes", [])}


def test_what_the_overlay_leaves_to_be_switched_on_is_complete_and_accepted(tmp_path: Path) -> None:
    text = OVERLAY.read_text()
    told, files = overlay(re.sub(r"^(\s+)# - ", r"\1- ", text, flags=re.MULTILINE))
    read = {value.removeprefix("/secrets/") for value in told.values() if value.startswith("/secrets/")}
    off = set(files) - set(overlay(text)[1])
    assert read == off
    for name in off:
        (tmp_path / name).write_text(KEY if name == "payload-keys" else "secret")
    environment = {name: value.replace("/secrets", str(tmp_path)) for name, value in told.items()}
    assert settings.load(environment).bridge.payload_keys is not None

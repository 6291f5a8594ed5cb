"""What the pages on logins and encryption tell to set is what these tests set, and what they tell to type works."""

import re
import subprocess
from pathlib import Path

from bridge import settings
from tests.docs import pages
from tests.wire.broker import Secured
from tests.wire.frontend import Frontend
from tests.wire.wired import Files
from topics import sealing

SECURITY, ENCRYPTION = "docs/how-to/security.md", "docs/how-to/encryption.md"


def test_the_settings_of_the_page_are_those_of_these_tests(kafka: Secured, frontend: Frontend, files: Files) -> None:
    named = re.findall(r"^([A-Z_]+)=(\S+)", pages.block(SECURITY, "sh"), re.MULTILINE)

    used = files.environment(kafka, frontend)
    assert sorted(name for name, _ in named) == sorted(used)
    same = ("KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM")
    assert {name: value for name, value in named if name in same} == {name: used[name] for name in same}
    assert {name: Path(value).name for name, value in named if value.startswith("/")} == {
        name: Path(value).name for name, value in used.items() if value.startswith("/")
    }


def test_the_key_that_the_page_makes_is_one(tmp_path: Path) -> None:
    subprocess.run(["sh", "-ec", pages.block(ENCRYPTION, "sh")], cwd=tmp_path, check=True, timeout=30)

    assert list(sealing.parse((tmp_path / "payload.keys").read_text())) == ["2026-11"]


def test_the_route_of_the_page_is_sound(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(pages.block(ENCRYPTION, "toml"))

    route = settings.load({"BRIDGE_CONFIG": str(file)}).routes.for_command("order.place")
    assert route is not None
    assert route.result == "decrypted"

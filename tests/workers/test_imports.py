"""What the workers' modules drag in."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import workers.sdk
from topics import sealing

WORKFLOW_MODULES = ("workers.invoice.workflow", "workers.campaign.workflow", "workers.lead.workflow", "workers.sdk")
SDK_MODULES = sorted(f"workers.sdk.{module.name}" for module in pkgutil.iter_modules(workers.sdk.__path__))


def imported(module: Path) -> set[str]:
    """Return the first words of what a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found


def test_the_sdk_needs_temporalio_and_aiokafka_and_one_module_of_it_opentelemetry_and_one_keys() -> None:
    folder = Path(workers.sdk.__path__[0])
    of_spans, of_keys = folder / "opentelemetry.py", folder / "codec.py"
    others = [path for path in folder.glob("*.py") if path not in {of_spans, of_keys}]
    assert imported(of_spans) - sys.stdlib_module_names == {"opentelemetry", "workers"}
    assert imported(of_keys) - sys.stdlib_module_names == {"temporalio", "topics"}
    assert imported(Path(sealing.__file__)) - sys.stdlib_module_names == {"cryptography"}
    assert set[str]().union(*map(imported, others)) - sys.stdlib_module_names == {"temporalio", "aiokafka", "workers"}


def test_no_other_module_of_the_sdk_loads_the_one_of_opentelemetry() -> None:
    others = [name for name in SDK_MODULES if name != "workers.sdk.opentelemetry"]
    look = f"import sys, {', '.join(others)}; print('opentelemetry' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"


@pytest.mark.parametrize("module", WORKFLOW_MODULES)
def test_a_workflow_module_drags_in_no_kafka_client(module: str) -> None:
    look = f"import sys, {module}; print([name for name in ('aiokafka', 'faststream') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"

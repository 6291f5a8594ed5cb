"""Run by Python before anything else, in every process whose PYTHONPATH names this folder: plants one bug in a daemon.

`python -m tests.planted` alone names it. A process that is no `bridge run` is left as it is.
"""

import importlib
import os
import sys
import traceback
from pathlib import Path

EXIT_NOT_PLANTED = 70

if sys.orig_argv[-1] == "run" and "PLANTED_BUG" in os.environ:
    from tests.planted.planting import FAILED, PLANTED, Planting

    planting = Planting(Path(os.environ["PLANTED_NOTES"]))
    try:
        importlib.import_module(f"tests.planted.bugs.{os.environ['PLANTED_BUG']}").plant(planting)
        planting.note(PLANTED)
    except Exception:  # noqa: BLE001 - Python would print an error of this module, and go on without the bug
        planting.note(FAILED, traceback.format_exc())
        os._exit(EXIT_NOT_PLANTED)

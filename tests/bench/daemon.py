"""`bridge run` with the bench's rows instead of the three domains': `python -m tests.bench.daemon TOPIC`."""

import dataclasses
import os
import sys

import uvloop

from bridge import app, interpreter, settings
from bridge.routes import Routes
from tests.bench import rows


def main(topic: str) -> int:
    """Run the daemon over one topic of the bench."""
    interpreter.tune()
    loaded = dataclasses.replace(settings.load(os.environ), domains=(), routes=Routes(rows.of(topic)))
    return uvloop.run(app.run(loaded))


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal client can hang at the interpreter's exit

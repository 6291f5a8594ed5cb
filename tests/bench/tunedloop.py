"""The loop in an interpreter that is set as the bridge sets its own: how much of the bridge's figures comes from there.

`python -m tests.bench.tunedloop TOPIC`.
"""

import sys

import uvloop

from bridge import interpreter
from tests.bench import loop

if __name__ == "__main__":
    interpreter.tune()
    uvloop.run(loop.run(sys.argv[1]))

"""The usual handler, but it acknowledges after the work, so that a kill loses no command: what each commit costs.

`python -m tests.bench.ackhandler TOPIC`.
"""

import asyncio
import sys

from faststream import AckPolicy

from tests.bench import handler

if __name__ == "__main__":
    asyncio.run(handler.run(sys.argv[1], AckPolicy.ACK))

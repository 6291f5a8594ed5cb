"""The usual handler without FastStream's two log lines a record: how much of its time goes there.

`python -m tests.bench.quiethandler TOPIC`.
"""

import asyncio
import sys

from tests.bench import handler

if __name__ == "__main__":
    asyncio.run(handler.run(sys.argv[1], logger=None))

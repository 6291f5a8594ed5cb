"""`bridge worker`: the workers of the three domains, in place of this process."""

import os
import sys
from typing import Annotated

import cyclopts

MODULE = "workers"  # started by its name: the daemon's package imports nothing of it


def worker(*, queue: Annotated[tuple[str, ...], cyclopts.Parameter(negative=())] = ()) -> None:
    """Run the workers until SIGTERM or Ctrl-C; then finish what is in hand.

    For example:
        bridge worker

        bridge worker --queue finance --queue leads

    Parameters
    ----------
    queue
        Task queue to poll; may be given several times. Default: all of them.
    """
    flags = [word for name in queue for word in ("--queue", name)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", MODULE, *flags])  # noqa: S606 - no shell is wanted

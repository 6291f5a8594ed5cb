"""What the commands of `bridge dlq` take to say which dead letters are meant."""

from typing import Annotated

import cyclopts

from topics.replies import DeadLetterReason

Places = Annotated[
    str,
    cyclopts.Parameter(
        help="Topics (of commands or dead letters), or topic/partition/offset of a dead letter or of its original. "
        "Default: every dead-letter topic."
    ),
]
Reasons = Annotated[
    tuple[str, ...],
    cyclopts.Parameter(
        name="--reason",
        show_default=False,
        help=f"Only those with this reason ({', '.join(DeadLetterReason)}); may be given several times.",
    ),
]
Since = Annotated[
    str | None, cyclopts.Parameter(help="Only those since a time (RFC 3339), or so long ago: 90s, 2h, 7d.")
]
Until = Annotated[str | None, cyclopts.Parameter(help="Only those before a time (RFC 3339), or so long ago.")]
Keys = Annotated[
    tuple[str, ...], cyclopts.Parameter(name="--key", show_default=False, help="Only those with this record key.")
]
Ids = Annotated[
    tuple[str, ...], cyclopts.Parameter(name="--id", show_default=False, help="Only those of this command id.")
]

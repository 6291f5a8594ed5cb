"""What a check found."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum

from aiokafka.errors import KafkaError
from temporalio.service import RPCError

from bridge import errors

CHECK_SECONDS = 20.0
REFUSED = "See what this account may do; correct what it logs in with."


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `doctor`; `advice` says what to do."""

    check: str
    status: Status
    detail: str
    advice: str = ""


def ok(check: str, detail: str) -> Finding:
    """Return that all is well."""
    return Finding(check, Status.OK, detail)


def warn(check: str, detail: str, advice: str) -> Finding:
    """Return that it works, but not as well as it should."""
    return Finding(check, Status.WARN, detail, advice)


def fail(check: str, detail: str, advice: str) -> Finding:
    """Return that it does not work."""
    return Finding(check, Status.FAIL, detail, advice)


async def bounded(check: str, examined: Awaitable[list[Finding]]) -> list[Finding]:
    """Return what a check found; a failure where it does not come to an end, or stops with an error of ours."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await examined
    except TimeoutError:
        return [fail(check, f"no answer within {CHECK_SECONDS:g} s", "See whether the server is well.")]
    except errors.BridgeError as error:
        return [fail(check, line, "") for line in str(error).splitlines()]
    except (KafkaError, RPCError) as error:
        return [
            fail(
                check,
                f"the server refuses what was asked: {error}",
                "See what this account may do; correct what it logs in with.",
            )
        ]

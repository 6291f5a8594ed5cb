"""What calls the callback address in the tests: well-meaning like Temporal, or not."""

import asyncio
from collections.abc import Iterable

from bridge.callback import HEADER, Signer

SECRET = "s" * 32
LINK = (
    "<temporal:///namespaces/default/workflows/{workflow_id}/{run_id}/history?eventID=1"
    "&eventType=WorkflowExecutionStarted&referenceType=EventReference>; "
    'type="temporal.api.common.v1.Link.WorkflowEvent"'
)


def signer(address: str, group: str) -> Signer:
    return Signer(f"http://{address}", SECRET, group)


def head(path: str, headers: Iterable[tuple[str, str]], method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: bridge", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def headers(token: str | None, run_id: str = "run", workflow_id: str = "w") -> list[tuple[str, str]]:
    """Return what Temporal sends, but for the length."""
    sent = [("nexus-link", LINK.format(workflow_id=workflow_id, run_id=run_id)), ("nexus-operation-state", "succeeded")]
    return sent if token is None else [(HEADER, token), *sent]


async def call(address: str, *parts: bytes) -> bytes:
    """Send the parts; return all that is answered until the other side closes, at most 30 s."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(30):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def post(address: str, path: str, sent: Iterable[tuple[str, str]], body: bytes = b"") -> int:
    """Call as Temporal does, in chunks; return the status."""
    chunks = [b"%x\r\n%b\r\n" % (len(body), body)] if body else []
    framing = [("transfer-encoding", "chunked"), ("connection", "close")]
    answer = await call(address, head(path, [*sent, *framing]), *chunks, b"0\r\n\r\n")
    return status(answer)


def status(answer: bytes) -> int:
    """Return the status of an answer, 0 where there was none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0

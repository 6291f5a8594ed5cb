"""A mail server for tests: takes mail, refuses it, or fails, as it is told."""

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from workers.mail import Mailer, MailServer

HOST = "127.0.0.1"


@dataclass
class Inbox:
    """What arrived; `refused` answers an address with an error, `replies` are given to the next mails instead of 250.

    `attempted` has the Message-ID of every mail that was tried. While `hold` is not set, no mail is answered.
    """

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    attempted: list[str] = field(default_factory=list)
    taking: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None

    @property
    def mailer(self) -> Mailer:
        """What sends here."""
        return Mailer(MailServer(host=HOST, port=self.port, sender="billing@example.org"))

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the address, or refuse it."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take the mail, or answer as told."""
        message = email.message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self.attempted.append(message["Message-ID"])
        self.taking.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.replies:
            return self.replies.pop(0)
        self.messages.append(message)
        return "250 OK"


@asynccontextmanager
async def running_inbox() -> AsyncIterator[Inbox]:
    """Run a mail server in this process."""
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox, hostname="localhost", loop=loop), HOST, 0)
    inbox.port = server.sockets[0].getsockname()[1]
    try:
        yield inbox
    finally:
        server.close()

"""Hand mails to an SMTP server."""

import re
import socket
import urllib.parse
from dataclasses import dataclass, field
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Self

import aiosmtplib

CONVERSATION_TIMEOUT = timedelta(seconds=20)
DEFAULT_SENDER = "kafka-temporal-bridge@localhost"
HEADER_CHARACTERS_MAX = 200
PERMANENT = 500
"""SMTP reply codes from here on will not change when asked again: RFC 5321, section 4.2.1."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PORTS = {"smtp": 25, "smtps": 465}


class MailRefusedError(Exception):
    """The mail server refused a mail for good; its text says why."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails go; `tls` from the first byte, `starttls` after the greeting (None: if the server offers it)."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool | None = None
    sender: str = DEFAULT_SENDER

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `smtp[s]://[user:password@]host[:port][?starttls&from=address]`; raises `ValueError`."""
        parts = urllib.parse.urlsplit(url)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        unknown = query.keys() - {"starttls", "from"}
        if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"} or unknown:
            raise ValueError("give smtp://host:port or smtps://host:port, with ?starttls or &from=address if needed")
        username = urllib.parse.unquote(parts.username) if parts.username else None
        address = query.get("from") or (username if username and "@" in username else DEFAULT_SENDER)
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            username=username,
            password=urllib.parse.unquote(parts.password) if parts.password else None,
            tls=parts.scheme == "smtps",
            starttls=None if "starttls" not in query else query["starttls"] not in {"0", "false", "no"},
            sender=Address(addr_spec=address).addr_spec,
        )


@dataclass(frozen=True, slots=True)
class Mailer:
    """Sends mails through one server, a connection each."""

    server: MailServer

    async def send(self, message: EmailMessage) -> None:
        """Send `message`; return once the server has taken responsibility for it.

        Raises `MailRefusedError` if it never will, `aiosmtplib.SMTPException` or `OSError` if it may later.
        """
        server = self.server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.tls,
                start_tls=False if server.tls else server.starttls,
                timeout=CONVERSATION_TIMEOUT.total_seconds(),
                local_hostname=socket.gethostname(),
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            if all(refusal.code >= PERMANENT for refusal in error.recipients):
                raise MailRefusedError(_refusal(error.recipients[0])) from error
            raise
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
            # Other replies of this kind, such as to a wrong password, are not about the mail: a person corrects that.
            if error.code >= PERMANENT:
                raise MailRefusedError(_refusal(error)) from error
            raise


def new_message(sender: str, name: str, address: str, subject: str) -> EmailMessage:
    """Return an empty mail to `address`; what people wrote cannot add headers to it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(one_line(name)[:HEADER_CHARACTERS_MAX], addr_spec=address)
    message["Subject"] = one_line(subject)[:HEADER_CHARACTERS_MAX]
    return message


def one_line(text: str) -> str:
    """Return `text` without line breaks and other control characters."""
    return _CONTROL.sub(" ", text).strip()


def _refusal(error: aiosmtplib.SMTPResponseException) -> str:
    return f"The mail server refused the mail: {error.code} {one_line(error.message)}"

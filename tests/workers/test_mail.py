"""Mails, and the server that takes them."""

from datetime import UTC, datetime
from decimal import Decimal

import aiosmtplib
import pytest

from tests.workers import commands
from tests.workers.inbox import Inbox
from topics.invoice import Customer, InvoiceProcess
from workers import mail
from workers.invoice import mail as invoice_mail
from workers.invoice import totals
from workers.invoice.models import Sending
from workers.mail import Mailer, MailRefusedError, MailServer

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SENDER = "billing@example.org"


def composed(invoice: InvoiceProcess | None = None) -> bytes:
    invoice = invoice or commands.invoice()
    sending = Sending(invoice=invoice, totals=totals.total(invoice, Decimal(10000)))
    return bytes(invoice_mail.compose(sending, b"%PDF-", sender=SENDER, message_id="<1@example.org>", date=NOW))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", MailServer("mail.example", 25)),
        ("smtp://127.0.0.1:8025", MailServer("127.0.0.1", 8025)),
        ("smtps://mail.example", MailServer("mail.example", 465, tls=True)),
        ("smtp://mail.example:587?starttls", MailServer("mail.example", 587, starttls=True)),
        ("smtp://mail.example:587/?starttls=no", MailServer("mail.example", 587, starttls=False)),
        ("smtp://[::1]:2525", MailServer("::1", 2525)),
        (
            "smtps://ada%40example.org:p%40ss%2Fword@mail.example",
            MailServer("mail.example", 465, "ada@example.org", "p@ss/word", tls=True, sender="ada@example.org"),
        ),
        ("smtp://h?from=billing@example.org", MailServer("h", 25, sender="billing@example.org")),
    ],
)
def test_a_url_names_the_server(url: str, expected: MailServer) -> None:
    assert MailServer.parse(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://h/path",
        "smtp://h?tls",
        "smtp://h:99999",
        "smtp://h?from=a b",
    ],
)
def test_a_url_that_names_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        MailServer.parse(url)


def test_a_password_does_not_show() -> None:
    assert "secret" not in repr(MailServer.parse("smtp://ada:secret@mail.example"))


def test_the_same_mail_is_equal_byte_for_byte() -> None:
    assert composed() == composed()


@pytest.mark.parametrize("name", ["Ada\r\nBcc: eve@example.com", "Ada\nX: y", "Ada\x0bB", "Ada\u2028Bcc: x"])
def test_a_name_cannot_add_a_header(name: str) -> None:
    customer = Customer(name=name, email="ada@example.com")
    head = composed(commands.invoice(customer=customer)).split(b"\r\n\r\n")[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert names == [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type"]


async def test_a_mail_arrives(inbox: Inbox) -> None:
    message = mail.new_message(SENDER, "Ada", "ada@example.com", "Hello")
    message.set_content("Text")
    await inbox.mailer.send(message)
    (arrived,) = inbox.messages
    assert (arrived["Subject"], arrived["From"], arrived["To"]) == ("Hello", SENDER, "Ada <ada@example.com>")


async def test_a_refused_address_is_permanent(inbox: Inbox) -> None:
    inbox.refused["ada@example.com"] = "550 No such user"
    with pytest.raises(MailRefusedError, match="550 No such user"):
        await inbox.mailer.send(mail.new_message(SENDER, "", "ada@example.com", "Hello"))


async def test_a_refused_mail_is_permanent(inbox: Inbox) -> None:
    inbox.replies = ["552 Too large"]
    with pytest.raises(MailRefusedError, match="552 Too large"):
        await inbox.mailer.send(mail.new_message(SENDER, "", "ada@example.com", "Hello"))


async def test_an_address_that_is_deferred_may_be_tried_again(inbox: Inbox) -> None:
    inbox.refused["ada@example.com"] = "450 Busy"
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await inbox.mailer.send(mail.new_message(SENDER, "", "ada@example.com", "Hello"))


async def test_a_server_that_is_away_may_be_tried_again() -> None:
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await Mailer(MailServer("127.0.0.1", 1)).send(mail.new_message(SENDER, "", "ada@example.com", "Hello"))

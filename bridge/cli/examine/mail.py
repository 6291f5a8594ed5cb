"""The mail server of the workers."""

import urllib.parse

import aiosmtplib

from bridge.cli.examine import workers
from bridge.cli.examine.finding import Finding, fail, ok
from bridge.settings import Settings

CHECK = "smtp"
ADVICE = "Start the mail server, or correct WORKERS_SMTP_URL."
ANSWER_SECONDS = 5.0
PORTS = {"smtp": 25, "smtps": 465}


async def examine(settings: Settings) -> list[Finding]:
    """Greet the mail server, and log in where the URL says so; nothing is sent."""
    try:
        url = urllib.parse.urlsplit(settings.workers.smtp_url.get_secret_value())
        host, port = url.hostname, url.port or PORTS[url.scheme]
    except (KeyError, ValueError):
        host, port = None, 0
    if host is None:
        return [fail(CHECK, "WORKERS_SMTP_URL is no smtp:// or smtps:// URL", "Give smtp://HOST:PORT.")]
    server = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        username=urllib.parse.unquote(url.username) if url.username else None,
        password=urllib.parse.unquote(url.password) if url.password else None,
        use_tls=url.scheme == "smtps",
        start_tls=_starts_tls(url),
        timeout=ANSWER_SECONDS,
    )
    try:
        async with server:
            await server.noop()
    except (aiosmtplib.SMTPException, OSError) as error:
        return [workers.away(settings, "smtp_url", CHECK, f"{host}:{port}: {error}", ADVICE)]
    return [ok(CHECK, f"{host}:{port}")]


def _starts_tls(url: urllib.parse.SplitResult) -> bool | None:
    """Return whether the workers would ask for TLS after the greeting; None: if the server offers it."""
    told = urllib.parse.parse_qs(url.query, keep_blank_values=True).get("starttls")
    if url.scheme == "smtps":
        return False
    return None if told is None else told[-1] not in {"0", "false", "no"}

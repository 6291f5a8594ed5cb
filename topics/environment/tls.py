"""TLS with certificates and keys in files, which may be replaced while the process runs."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from topics.environment import reader
from topics.environment.sections import KafkaSection

ALERT_SECONDS = 2.0

_Signature = tuple[tuple[int, int, int] | None, ...]

log = logging.getLogger(__name__)


class RenewedContext(ssl.SSLContext):
    """A client's context that reads its files anew for a new connection, where they have changed.

    Connections that are open stay as they are. While the new files cannot be used, the old ones go on to be used: a
    certificate may be there before its key.
    """

    _made: ssl.SSLContext
    _make: Callable[[], ssl.SSLContext]
    _files: tuple[Path, ...]
    _made_of: _Signature
    _refused: _Signature | None

    @classmethod
    def of(cls, make: Callable[[], ssl.SSLContext], *files: Path | None) -> Self:
        """Return the context that `make` makes of these files; raises what that raises."""
        found = cls(ssl.PROTOCOL_TLS_CLIENT)
        found._files = tuple(file for file in files if file is not None)
        found._make = make
        found._made_of = _signature(found._files)
        found._made = make()
        found._refused = None
        return found

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Return the TLS side of a new connection."""
        self._renew()
        return self._made.wrap_bio(*args, **options)

    def _renew(self) -> None:
        now = _signature(self._files)
        if now == self._made_of or None in now:  # what is not there is about to be replaced
            return
        try:
            self._made = self._make()
        except (OSError, ValueError) as error:  # holds ssl.SSLError too
            if now != self._refused:
                self._refused = now
                names = ", ".join(map(str, self._files))
                log.warning("The new files of %s cannot be used, the old ones go on to be used: %s", names, error)
        else:
            self._made_of, self._refused = now, None


async def alert(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """Return what a server says against our certificate, None where it says nothing.

    By TLS 1.3 it does so after the handshake; clients that write first tell of a closed connection only.
    """
    try:
        async with asyncio.timeout(ALERT_SECONDS):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            try:
                await reader.read(1)
            finally:
                writer.transport.abort()
    except ssl.SSLError as error:
        reason = (error.reason or "").lower()
        return reason.partition("alert_")[2].replace("_", " ") or None
    except (OSError, TimeoutError):
        return None
    return None


def kafka_context(section: KafkaSection) -> RenewedContext:
    """Return the context for Kafka; raises `ValueError` with a line for each file that cannot be used."""
    files = (section.ssl_ca_location, section.ssl_certificate_location, section.ssl_key_location)
    return RenewedContext.of(lambda: _kafka_context(section), *files)


def _kafka_context(section: KafkaSection) -> ssl.SSLContext:
    context, problems = ssl.create_default_context(), []
    try:
        if section.ssl_ca_location is not None:
            context = ssl.create_default_context(cafile=section.ssl_ca_location)
    except (OSError, ssl.SSLError) as error:
        problems.append(f"KAFKA_SSL_CA_LOCATION names {section.ssl_ca_location}, which cannot be used: {error}.")
    try:
        if section.ssl_certificate_location is not None:
            context.load_cert_chain(section.ssl_certificate_location, section.ssl_key_location, _password(section))
    except (OSError, ssl.SSLError) as error:
        problems.append(
            f"KAFKA_SSL_CERTIFICATE_LOCATION names {section.ssl_certificate_location}, "
            f"which cannot be used with KAFKA_SSL_KEY_LOCATION and KAFKA_SSL_KEY_PASSWORD: {error}."
        )
    if problems:
        raise ValueError("\n".join(problems))
    return context


def _password(section: KafkaSection) -> str:
    """Return the key's password; an empty one, too, keeps OpenSSL from asking at a terminal."""
    read = section.ssl_key_password.get_secret_value() if section.ssl_key_password else ""
    return reader.current(section, "ssl_key_password") or read


def _signature(files: tuple[Path, ...]) -> _Signature:
    return tuple(map(_signature_of, files))


def _signature_of(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size

"""A real Kafka with two more listeners: one that wants a certificate, one that wants a certificate and a login."""

from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public there, but not marked as exported
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

import bridge.dev.kafka
from bridge.dev import processes
from tests.servers import ports
from tests.servers.fixtures import Kafka
from tests.wire.authority import Authority

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
USER, PLAIN_PASSWORD, SCRAM_PASSWORD = "ann", "pl4in-s3cret", "scr4m-s3cret"
MODULES = "org.apache.kafka.common.security"
ITERATIONS = 4096
ASK_SECONDS = 20.0

SCRAM = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)


class Secured(Kafka):
    """`bootstrap` is plain, for who watches; `certified` speaks mTLS, `login` SASL over mTLS, `tls` SASL over TLS."""

    def __init__(self, guard: processes.Guard, folder: Path, authority: Authority) -> None:
        self.certified, self.login, self.tls = (f"{ports.HOST}:{ports.free()}" for _ in range(3))
        self._store, self._trusted = folder / "broker.pem", folder / "trusted.pem"
        self.show(authority)
        named = f"CERTIFIED://{self.certified},LOGIN://{self.login},TLS://{self.tls}"
        plain = bridge.dev.kafka.properties

        def properties(listeners: str, advertised: str, controller: int, data: str) -> dict[str, str]:
            found: dict[str, str] = plain(f"{listeners},{named}", f"{advertised},{named}", controller, data)
            return found | self._settings()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bridge.dev.kafka, "properties", properties)
            super().__init__(guard, folder, (self._store, self._trusted))

    def show(self, authority: Authority) -> None:
        """Show a certificate of `authority` from the next start on, and take no other client than its own."""
        shown = authority.server("kafka")
        self._store.write_bytes(shown.key_pem + shown.certificate_pem)
        self._trusted.write_bytes(authority.certificate.read_bytes())

    def set_password(self, password: str) -> None:
        """Give the user a password for SCRAM."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for mechanism in SCRAM:
            kept = ScramCredentialInfo(mechanism, ITERATIONS)
            wanted = UserScramCredentialUpsertion(USER, kept, password.encode())
            for done in admin.alter_user_scram_credentials([wanted]).values():
                done.result(ASK_SECONDS)

    def _settings(self) -> dict[str, str]:
        logins = {
            f"listener.name.{listener}.{name}": value
            for listener in ("login", "tls")
            for name, value in {
                "sasl.enabled.mechanisms": ",".join(MECHANISMS),
                "plain.sasl.jaas.config": (
                    f'{MODULES}.plain.PlainLoginModule required user_{USER}="{PLAIN_PASSWORD}" ;'
                ),
                "scram-sha-256.sasl.jaas.config": f"{MODULES}.scram.ScramLoginModule required;",
                "scram-sha-512.sasl.jaas.config": f"{MODULES}.scram.ScramLoginModule required;",
            }.items()
        }
        protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CERTIFIED:SSL,LOGIN:SASL_SSL,TLS:SASL_SSL"
        return logins | {
            "listener.security.protocol.map": protocols,
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.name.certified.ssl.client.auth": "required",
            "listener.name.login.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._trusted),
        }

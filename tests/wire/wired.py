"""The files that our processes are told of, and what an operator puts into them."""

from dataclasses import dataclass
from pathlib import Path

from tests.wire import broker
from tests.wire.authority import Authority
from tests.wire.broker import Secured
from tests.wire.frontend import Frontend

FIRST_API_KEY = "f1rst-api-key"
FIRST_PAYLOAD_KEY = "2026-05:" + "QUFB" * 10 + "QUE="
KEY_PASSWORD = "k3y-pass"


@dataclass(frozen=True, slots=True)
class Files:
    """One file each, in one folder, as a secret is mounted."""

    folder: Path

    def show(self, authority: Authority, *, password: str, key_password: str, api_key: str) -> None:
        """Put everything that a client needs into the files."""
        kafka, temporal = authority.client("bridge-at-kafka", key_password), authority.client("bridge-at-temporal")
        for name, content in {
            "ca.pem": authority.certificate.read_bytes(),
            "kafka.pem": kafka.certificate_pem,
            "kafka.key": kafka.key_pem,
            "kafka.key.password": key_password.encode(),
            "kafka.password": password.encode() + b"\n",
            "temporal.pem": temporal.certificate_pem,
            "temporal.key": temporal.key_pem,
            "temporal.api-key": api_key.encode() + b"\n",
        }.items():
            self.replace(name, content)

    def replace(self, name: str, content: bytes) -> None:
        """Replace a file at once, as Kubernetes and cert-manager do."""
        new = self.folder / f"{name}.new"
        new.write_bytes(content)
        new.rename(self.folder / name)

    def environment(self, kafka: Secured, temporal: Frontend) -> dict[str, str]:
        """Return what our processes are told."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.login,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_USERNAME": broker.USER,
            "KAFKA_SASL_PASSWORD_FILE": self._path("kafka.password"),
            "KAFKA_SSL_CA_LOCATION": self._path("ca.pem"),
            "KAFKA_SSL_CERTIFICATE_LOCATION": self._path("kafka.pem"),
            "KAFKA_SSL_KEY_LOCATION": self._path("kafka.key"),
            "KAFKA_SSL_KEY_PASSWORD_FILE": self._path("kafka.key.password"),
            "TEMPORAL_ADDRESS": temporal.address,
            "TEMPORAL_NAMESPACE": "wire",
            "TEMPORAL_API_KEY_FILE": self._path("temporal.api-key"),
            "TEMPORAL_TLS_SERVER_CA_CERT_PATH": self._path("ca.pem"),
            "TEMPORAL_TLS_CLIENT_CERT_PATH": self._path("temporal.pem"),
            "TEMPORAL_TLS_CLIENT_KEY_PATH": self._path("temporal.key"),
            "BRIDGE_PAYLOAD_KEYS_FILE": self._path("payload.keys"),
        }

    def _path(self, name: str) -> str:
        return str(self.folder / name)

"""A private CA, made for a test, and what it signs."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key, as files and as PEM text."""

    certificate: Path
    key: Path

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.read_bytes()

    @property
    def key_pem(self) -> bytes:
        return self.key.read_bytes()


class Authority:
    """Signs for servers of this machine, and for clients; `certificate` is what they trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"CA of {folder.name}")
        self.certificate = folder / "ca.pem"
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self._write(
            self.certificate,
            _begun(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True),
        )

    def server(self, name: str) -> Identity:
        """Return what a server of this machine shows."""
        places = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        return self._signed(name, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), places)

    def client(self, name: str, password: str = "") -> Identity:
        """Return what a client shows; its key is encrypted where there is a password."""
        places = x509.SubjectAlternativeName([x509.DNSName(name)])
        return self._signed(name, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), places, password)

    def _signed(
        self, name: str, usage: x509.ExtendedKeyUsage, places: x509.SubjectAlternativeName, password: str = ""
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        made = Identity(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        self._write(
            made.certificate,
            _begun(_name(name), self._name, key)
            .add_extension(usage, critical=False)
            .add_extension(places, critical=False),
        )
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption(),
            )
        )
        return made

    def _write(self, file: Path, wanted: x509.CertificateBuilder) -> None:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = wanted.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256())
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _begun(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

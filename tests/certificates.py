"""A certificate authority for one test, and a certificate that it issued."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from shared.live import clock


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The files of a TLS server, and the authority's."""

    chain_file: Path
    key_file: Path
    ca_file: Path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(subject: str, issuer: str, key: CertificateIssuerPrivateKeyTypes) -> x509.CertificateBuilder:
    now = clock.now()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
    )


def a_client_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that its client has signed itself, and its key, in files below *folder*."""
    key = rsa.generate_private_key(65537, 3072)
    certificate = _unsigned("rp", "rp", key).sign(key, SHA256())
    files = folder / "client.pem", folder / "client-key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def a_certificate(host: str, folder: Path) -> CertificateFiles:
    """A certificate for *host* by an authority of its own, in files below *folder*."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = (
        _unsigned("Test CA", "Test CA", ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, SHA256())
    )
    certificate = (
        _unsigned(host, "Test CA", key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(ca_key, SHA256())
    )
    made = CertificateFiles(folder / "chain.pem", folder / "key.pem", folder / "ca.pem")
    made.ca_file.write_bytes(authority.public_bytes(Encoding.PEM))
    made.chain_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made

"""The engine's own certificate, with which it serves https, and how its monitor knows it.

Made at the first start and self-signed: nobody judges it but by its fingerprint. The private key
stays in `engine-<cp_id>-tls.pem`; the certificate alone stands in `engine-<cp_id>.crt` while the
engine serves https. The monitor reads it there, so that there is no trust on first use.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cpo_app.charge_point.settings import EngineSettings, certificate_files
from cpo_app.charge_point.state_dir import write_private
from cpo_app.pinned_tls import fingerprint_of

# Pinned certificates do not end (RFC 5280, 4.1.2.5): an engine's clock may be years off.
_ALWAYS = (datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59))


def published_in(state_dir: Path, cp_id: str) -> Path:
    """Where the engine's present certificate stands; not there while it serves plain HTTP."""
    return state_dir.expanduser() / f"engine-{cp_id}.crt"


def ready_for_tls(settings: EngineSettings, state_dir: Path) -> tuple[str, str] | None:
    """Certificate and key files to serve with, made known to the monitor; None: plain HTTP.

    Raises OSError, and ValueError for what holds no certificate.
    """
    published = published_in(state_dir, settings.cp_id)
    if not settings.serves_tls:
        published.unlink(missing_ok=True)
        return None
    files = certificate_files(settings) or _own(state_dir, settings.cp_id)
    pem = Path(files[0]).read_text(encoding="ascii")
    fingerprint_of(pem)
    start, end = pem.index("-----BEGIN CERTIFICATE-----"), "-----END CERTIFICATE-----"
    write_private(published, pem[start : pem.index(end) + len(end)] + "\n")
    return files


def _own(state_dir: Path, cp_id: str) -> tuple[str, str]:
    path = state_dir / f"engine-{cp_id}-tls.pem"
    if not path.exists():
        write_private(path, _made(cp_id))
    return str(path), str(path)


def _made(cp_id: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cp_id)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_ALWAYS[0])
        .not_valid_after(_ALWAYS[1])
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()

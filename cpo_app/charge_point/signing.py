"""The simulated meter's signature: OCMF records, ECDSA on P-256, with a key of its own.

The key is made at the first start and never leaves the state directory (`meter-<cp_id>.key`,
0600); what belongs to the operator lies beside it: `meter-<cp_id>.pub`. Source: OCMF 1.2.
"""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from cpo_app.charge_point.session import Session
from cpo_app.charge_point.state_dir import write_private
from cpo_app.charge_point.timeline import Timeline
from db_interface.json_data import JsonObject

BEGIN = "B"
_ENDS = {"remote": "R", "local": "L", "unplugged": "L", "fault": "A"}
_VERSION = "1.2"


class MeterSigner:
    """Signs readings; they are dated by `timeline`, informative at first, exact in between."""

    def __init__(self, key: EllipticCurvePrivateKey, cp_id: str, timeline: Timeline) -> None:
        self._key = key
        self._cp_id = cp_id
        self._timeline = timeline

    def begin(self, session: Session, register_wh: float, number: int, *, dc: bool) -> str:
        """The record of a session's first reading. `number` counts the meter's records."""
        return self._record(session, register_wh, number, BEGIN, "I", dc)

    def end(
        self, session: Session, register_wh: float, number: int, reason: str, *, dc: bool
    ) -> str:
        return self._record(session, register_wh, number, _ENDS.get(reason, "E"), "R", dc)

    def signed_data(self, begin: str | None, end: str) -> JsonObject:
        """Both records as the SignedData of OCPI (mod_cdrs)."""
        records = [("Start", begin), ("End", end)]
        return {
            "encoding_method": "OCMF",
            "encoding_method_version": 1,
            "public_key": self.public_key,
            "signed_values": [
                {"nature": nature, "plain_data": record.split("|")[1], "signed_data": record}
                for nature, record in records
                if record is not None
            ],
        }

    @property
    def public_key(self) -> str:
        public = self._key.public_key()
        return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex().upper()

    def _record(
        self, session: Session, register_wh: float, number: int, reading: str, status: str, dc: bool
    ) -> str:
        now = self._timeline.now()
        known = session.id_tag is not None
        payload = {
            "FV": _VERSION,
            "GI": "EV_CP_E simulated meter",
            "GS": self._cp_id,
            "PG": f"T{number}",
            "MS": self._cp_id,
            "IS": known,
            "IL": "TRUSTED" if known else "NONE",
            "IF": [],
            "IT": ("CENTRAL" if session.source == "remote" else "LOCAL") if known else "NONE",
            "ID": session.id_tag or "",
            "CT": "CBIDC",
            "CI": f"{self._cp_id} {session.connector_id}",
            "RD": [
                {
                    "TM": now.strftime("%Y-%m-%dT%H:%M:%S,")
                    + f"{now.microsecond // 1000:03d}+0000 {status}",
                    "TX": reading,
                    "RV": round(register_wh, 3),
                    "RI": "1-b:1.8.0",
                    "RU": "Wh",
                    "RT": "DC" if dc else "AC",
                    "EF": "",
                    "ST": "G",
                }
            ],
        }
        # The bar parts OCMF's sections and must not stand inside one.
        text = json.dumps(payload, separators=(",", ":")).replace("|", "\\u007c")
        signature = self._key.sign(text.encode(), ECDSA(SHA256()))
        sealed = {"SA": "ECDSA-secp256r1-SHA256", "SD": signature.hex().upper()}
        return f"OCMF|{text}|{json.dumps(sealed, separators=(',', ':'))}"


def meter_key(state_dir: Path, cp_id: str) -> EllipticCurvePrivateKey:
    """The meter's key, made at the first call. Raises OSError, and ValueError for a file that
    holds no usable key: a meter must not sign with another one tomorrow."""
    path = state_dir / f"meter-{cp_id}.key"
    if not path.exists():
        made = generate_private_key(SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem.decode())
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        raise ValueError(f"{path} holds no usable key") from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError(f"{path} holds no key on P-256")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_private(path.with_suffix(".pub"), public.decode())
    return key

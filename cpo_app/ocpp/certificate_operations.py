"""The root certificates that a station trusts: which it has, one more, one less.

Of 1.6's security extension and of 2.0.1 and 2.1 (use cases M03-M05), in one set of words: `use` is
"central" (by which it knows us), "manufacturer" (by which it knows its firmware), "v2g" or "mo"
(ISO 15118, 2.x alone).
"""

from __future__ import annotations

from collections.abc import Mapping

from cpo_app.ocpp.box import OCPP_16, Asked
from cpo_app.ocpp.outcomes import ACCEPTED_OR_NOT, Outcome, of_status, outcome
from db_interface.json_data import JsonObject

_OF_16: Mapping[str, str] = {
    "central": "CentralSystemRootCertificate",
    "manufacturer": "ManufacturerRootCertificate",
}
_OF_2: Mapping[str, str] = {
    "central": "CSMSRootCertificate",
    "manufacturer": "ManufacturerRootCertificate",
    "v2g": "V2GRootCertificate",
    "mo": "MORootCertificate",
}


def _uses(asked: Asked) -> Mapping[str, str]:
    return _OF_16 if asked.box.protocol == OCPP_16 else _OF_2


async def install_certificate(asked: Asked) -> JsonObject:
    """`certificate` (PEM) for `use`."""
    kind = _uses(asked).get(asked.fields["use"])
    if kind is None:
        said = f"{asked.fields['use']}: not in {asked.box.protocol}"
        return outcome(Outcome.NOT_SUPPORTED, said)
    payload = {"certificateType": kind, "certificate": asked.fields["certificate"]}
    return of_status(await asked.call("InstallCertificate", payload), ACCEPTED_OR_NOT)


async def installed_certificates(asked: Asked) -> JsonObject:
    """`certificates`: [{use, hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber}]."""
    uses = _uses(asked)
    found: list[JsonObject] = []
    if asked.box.protocol == OCPP_16:
        for use, kind in uses.items():
            said = await asked.call("GetInstalledCertificateIds", {"certificateType": kind})
            found += [{"use": use, **row} for row in said.get("certificateHashData") or ()]
        return outcome(Outcome.ACCEPTED, certificates=found)
    said = await asked.call("GetInstalledCertificateIds", {})
    ours = {kind: use for use, kind in uses.items()}
    for row in said.get("certificateHashDataChain") or ():
        use = ours.get(row["certificateType"], row["certificateType"])
        found.append({"use": use, **row["certificateHashData"]})
    return outcome(Outcome.ACCEPTED, certificates=found)


async def delete_certificate(asked: Asked) -> JsonObject:
    """That of `hash_data`, as the station has named it."""
    payload = {"certificateHashData": asked.fields["hash_data"]}
    return of_status(await asked.call("DeleteCertificate", payload), ACCEPTED_OR_NOT)

"""The root certificates that a charging station trusts: listed, installed, deleted."""

from __future__ import annotations

from cryptography import x509
from pydantic import Field, validator

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.ocpp_asking import OfStation, about, asked, word_of
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.operators.actor import Role

USES = ("central", "manufacturer", "v2g", "mo")
MAX_PEM = 5500
_HASHES = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")


class Installing(OfStation):
    use: str = Field("central", title="What for", enum=USES)
    certificate: str = Field(..., min_length=1, max_length=MAX_PEM, title="Certificate, PEM")

    @validator("use")
    def _known(cls, value: str) -> str:
        if value not in USES:
            raise ValueError(f"is none of {', '.join(USES)}")
        return value

    @validator("certificate")
    def _pem(cls, value: str) -> str:
        try:
            x509.load_pem_x509_certificate(value.encode())
        except ValueError:
            raise ValueError("is no certificate in PEM form") from None
        return value


class Deleting(OfStation):
    serial_number: str = Field(..., min_length=1, max_length=40, title="Its serial number")


async def _installed(house: House, given: OfStation) -> list[JsonObject]:
    said = await asked(house, given.cp_id, "installed_certificates", {})
    return list(said.get("certificates") or ())


async def _list(house: House, given: OfStation) -> JsonObject:
    return {"cp_id": given.cp_id, "certificates": await _installed(house, given)}


async def _install(house: House, given: Installing) -> JsonObject:
    fields = {"use": given.use, "certificate": given.certificate}
    said = await asked(house, given.cp_id, "install_certificate", fields)
    subject = x509.load_pem_x509_certificate(given.certificate.encode()).subject.rfc4514_string()
    after = {"use": given.use, "subject": subject}
    await _record(house, given, "ocpp.install_certificate", after)
    return {"cp_id": given.cp_id, "said": word_of(said)}


async def _delete(house: House, given: Deleting) -> JsonObject:
    meant = given.serial_number.casefold().lstrip("0")
    found = [
        one
        for one in await _installed(house, given)
        if str(one.get("serialNumber", "")).casefold().lstrip("0") == meant
    ]
    if len(found) != 1:
        many = "more than one certificate" if found else "no certificate"
        raise Refused(409 if found else 404, f"{given.cp_id} has {many} of that serial number")
    hash_data = {name: found[0][name] for name in _HASHES}
    said = await asked(house, given.cp_id, "delete_certificate", {"hash_data": hash_data})
    after = {"use": found[0]["use"], "serial_number": found[0]["serialNumber"]}
    await _record(house, given, "ocpp.delete_certificate", after)
    return {"cp_id": given.cp_id, "said": word_of(said)}


async def _record(house: House, given: OfStation, name: str, after: JsonObject) -> None:
    async def work(tx: Tx) -> None:
        await audit.record(tx, name, audit.charge_point(given.cp_id), after=after)

    await house.store.transact(work)


CERTIFICATES = Action(
    name="ocpp.certificates",
    title="List its certificates",
    meaning="Asks the station which root certificates it trusts, and for what.",
    done="Read: these it trusts.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/certificates/read",
    parameters=OfStation,
    run=_list,
    about=about,
    refusals={},
)
INSTALL_CERTIFICATE = Action(
    name="ocpp.install_certificate",
    title="Install a certificate",
    meaning="The station trusts that root certificate from now on: `central` is for whom it "
    "connects to, `manufacturer` for its firmware, `v2g` and `mo` for ISO 15118.",
    done="Installed: the station trusts it.",
    needs=Role.ADMIN,
    path="/charge-points/{cp_id}/certificates/install",
    parameters=Installing,
    run=_install,
    about=about,
    refusals={},
    danger=True,
)
DELETE_CERTIFICATE = Action(
    name="ocpp.delete_certificate",
    title="Delete a certificate",
    meaning="The station trusts that root certificate no longer. One without the certificate by "
    "which it knows this platform does not connect any more.",
    done="Deleted: the station trusts it no longer.",
    needs=Role.ADMIN,
    path="/charge-points/{cp_id}/certificates/delete",
    parameters=Deleting,
    run=_delete,
    about=about,
    refusals={},
    danger=True,
)
ACTIONS = (CERTIFICATES, INSTALL_CERTIFICATE, DELETE_CERTIFICATE)

"""A station asks for a certificate, is brought it, and comes in by it: security profile 3."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.exceptions import InvalidStatus

from auth.station_authority import new_authority
from cpo_app.actions import ocpp_certificates as actions
from cpo_app.actions.action import Action, P, Refused, perform
from cpo_app.house import house_of
from cpo_app.ocpp_process import authority_of, doors_of
from cpo_app.settings import SettingsError
from domain.notices.certificates import SEEN
from domain.ocpp.certificates import CERTIFICATES, State, StationCertificate
from domain.operator import stations as shown
from domain.operators.actor import acting_as
from tests.auth.test_station_authority import request
from tests.cpo_app.ocpp.conftest import PASSWORD, World
from tests.cpo_app.ocpp.test_commands import INES
from tests.cpo_app.ocpp.test_tls import files, trusting
from tests.peers.ocpp_box import Box16, Box201
from tests.serving import free_port
from tests.settings_of import settings_of

HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "ab",
    "issuerKeyHash": "cd",
    "serialNumber": "0A1B",
}


def booted(serial: str) -> dict[str, Any]:
    station = {"vendorName": "Acme", "model": "Box", "serialNumber": serial}
    return {"reason": "PowerUp", "chargingStation": station}


class Certifying:
    """A gateway with TLS and a CA; CP-007 has a key of its own."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.server, key, _ = files(folder, "gateway")
        self.key = ec.generate_private_key(ec.SECP256R1())
        (folder / "own.key").write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        certificate, ca_key = new_authority("Stations", world.db.now(), 30)
        (folder / "ca.pem").write_text(certificate)
        (folder / "ca.key").write_text(ca_key)
        self.changed: dict[str, Any] = {
            "CPO_OCPP_PORT": free_port(),
            "CPO_OCPP_TLS_PORT": free_port(),
            "CPO_OCPP_TLS_CERT_FILE": self.server,
            "CPO_OCPP_TLS_KEY_FILE": key,
            "CPO_OCPP_CA_CERT_FILE": str(folder / "ca.pem"),
            "CPO_OCPP_CA_KEY_FILE": str(folder / "ca.key"),
        }

    async def start(self) -> None:
        await self.world.add("CP-007")
        doors = doors_of(self.world.settings.copy(update=self.changed))
        await self.world.gateway(doors, **self.changed)

    def own(self) -> ssl.SSLContext:
        """With the certificate that it was brought."""
        context = trusting(self.server)
        context.load_cert_chain(self.folder / "own.pem", self.folder / "own.key")
        return context

    @property
    def url(self) -> str:
        return f"wss://127.0.0.1:{self.changed['CPO_OCPP_TLS_PORT']}"

    def box(self, password: str | None, tls: ssl.SSLContext | None = None) -> Box201:
        return Box201(self.url, "CP-007", password, tls=tls or trusting(self.server))

    def csr(self, name: str = "CP-007") -> dict[str, str]:
        return {"csr": request(name, key=self.key)}

    async def kept(self, state: State) -> StationCertificate:
        async def there() -> StationCertificate | None:
            return await CERTIFICATES.of(self.world.db).find_one({"state": state.value})

        found: StationCertificate = await self.world.until(there)
        return found


@pytest.fixture
def certifying(world: World, tmp_path: Path) -> Certifying:
    return Certifying(world, tmp_path)


def test_it_comes_in_by_the_certificate_that_was_signed_for_it(certifying: Certifying) -> None:
    world = certifying.world

    async def story() -> None:
        await certifying.start()
        async with certifying.box(PASSWORD) as box:
            await box.boot()
            asked = {**certifying.csr(), "certificateType": "ChargingStationCertificate"}
            assert await box.call("SignCertificate", asked) == {"status": "Accepted"}
            brought = (await box.next("CertificateSigned")).payload
            assert brought["certificateType"] == "ChargingStationCertificate"
            (certifying.folder / "own.pem").write_text(brought["certificateChain"])
            kept = await certifying.kept(State.DELIVERED)
        async with certifying.box(None, certifying.own()) as box:
            await box.heartbeat()
            station = await world.station("CP-007")
            assert station["security_profile"] == 3
            assert station["certificate_fingerprint"] == kept["_id"]
            with pytest.raises(InvalidStatus):
                await certifying.box(PASSWORD).connect()

            async def seen() -> Any:
                return await SEEN.of(world.db).find_one({"subject": "CP-007"})

            assert (await world.until(seen))["ends"] == kept["ends"]
        told = await shown.of_charge_point(world.db, "CP-007")
        assert told is not None and told["certificates"][0]["state"] == "DELIVERED"

    world.run(story())


def test_it_is_brought_again_until_it_is_there(certifying: Certifying) -> None:
    async def story() -> None:
        await certifying.start()
        async with certifying.box(PASSWORD) as box:
            box.answers["CertificateSigned"] = None
            await box.boot()
            await box.call("SignCertificate", certifying.csr())
            await box.next("CertificateSigned")

        async def is_noted() -> bool:
            found = await certifying.kept(State.ISSUED)
            return found["attempts"] == 1

        await certifying.world.until(is_noted)
        await CERTIFICATES.of(certifying.world.db).update_one(
            {}, {"$set": {"due": certifying.world.db.now()}}
        )
        async with certifying.box(PASSWORD) as box:
            box.answers["CertificateSigned"] = {"status": "Rejected"}
            await box.next("CertificateSigned")
            assert (await certifying.kept(State.REFUSED))["said"] == "Rejected"

    certifying.world.run(story())


def test_what_is_not_signed_is_rejected_with_its_reason(certifying: Certifying) -> None:
    async def story() -> None:
        await certifying.start()
        await certifying.world.add("CP-008")
        async with certifying.box(PASSWORD) as box:
            # What a station calls its serial number is not the name of another.
            await box.call("BootNotification", booted("CP-008"))
            said = await box.call("SignCertificate", certifying.csr("CP-008"))
            assert said["status"] == "Rejected"
            assert "neither the station's id" in said["statusInfo"]["additionalInfo"]
            v2g = {**certifying.csr(), "certificateType": "V2GCertificate"}
            assert (await box.call("SignCertificate", v2g))["status"] == "Rejected"
            await box.call("BootNotification", booted("SN-77"))
            answers = [
                (await box.call("SignCertificate", certifying.csr("SN-77")))["status"]
                for _ in range(6)
            ]
            assert answers == ["Accepted"] * 5 + ["Rejected"]

    certifying.world.run(story())


def test_without_a_ca_it_is_rejected(world: World) -> None:
    async def story() -> None:
        await world.add("CP-007")
        async with world.box16() as box:
            await box.boot()
            said = await box.call("SignCertificate", {"csr": request("CP-007")})
            assert said == {"status": "Rejected"}

    world.run(story())


def test_half_a_ca_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="belong together"):
        authority_of(settings_of(CPO_OCPP_CA_CERT_FILE=str(tmp_path / "ca.pem")))


async def do(world: World, action: Action[P], **given: Any) -> Any:
    house = house_of(world.gateways[0]._backend)
    with acting_as(INES):
        parameters = action.parameters.parse_obj({"cp_id": "CP-007", **given})
        return await perform(house, action, parameters)


async def _roots(world: World, box: Box16 | Box201, pem: str, kind: str) -> None:
    await box.boot()
    await do(world, actions.INSTALL_CERTIFICATE, certificate=pem)
    told = (await box.next("InstallCertificate")).payload
    assert told == {"certificateType": kind, "certificate": pem}
    listed = await do(world, actions.CERTIFICATES)
    assert {"use": "central", **HASH} in listed["certificates"]
    await do(world, actions.DELETE_CERTIFICATE, serial_number="a1b")
    assert (await box.next("DeleteCertificate")).payload == {"certificateHashData": HASH}
    with pytest.raises(Refused, match="no certificate of that serial number"):
        await do(world, actions.DELETE_CERTIFICATE, serial_number="ffff")
    box.answers["InstallCertificate"] = {"status": "Rejected"}
    with pytest.raises(Refused, match="would not"):
        await do(world, actions.INSTALL_CERTIFICATE, certificate=pem)


def test_the_roots_that_a_station_trusts(world: World) -> None:
    pem = new_authority("Us", world.db.now(), 30)[0].strip()
    assert x509.load_pem_x509_certificate(pem.encode())

    def of_16(payload: Any) -> dict[str, Any]:
        if payload["certificateType"] == "CentralSystemRootCertificate":
            return {"status": "Accepted", "certificateHashData": [HASH]}
        return {"status": "NotFound"}

    chain = [{"certificateType": "CSMSRootCertificate", "certificateHashData": HASH}]
    of_201 = {"status": "Accepted", "certificateHashDataChain": chain}
    agreeing = {
        "InstallCertificate": {"status": "Accepted"},
        "DeleteCertificate": {"status": "Accepted"},
    }

    async def story() -> None:
        await world.add("CP-007")
        async with world.box16(answers={**agreeing, "GetInstalledCertificateIds": of_16}) as box:
            await _roots(world, box, pem, "CentralSystemRootCertificate")
        async with world.box201(
            "CP-007", answers={**agreeing, "GetInstalledCertificateIds": of_201}
        ) as box2:
            await _roots(world, box2, pem, "CSMSRootCertificate")

    world.run(story())

"""A charge point's client certificate proves who it is, over real TLS, at EV_Registry and
EV_Central; its fingerprint is bound when it registers.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from cryptography.x509 import load_pem_x509_certificate
from fastapi import FastAPI

from auth.charge_point_access import WRONG_CERTIFICATE, Admission
from cpo_app.add_routes import add_routes
from cpo_app.central.router import build_router
from cpo_app.central.service import Central
from cpo_app.charge_point.credentials_store import CredentialsStore
from cpo_app.charge_point.registry_login import RegistryLogin
from cpo_app.charge_point.settings import MonitorSettings, certificate_files
from cpo_app.front_door.serving import FrontDoor
from cpo_app.front_door.tls import ServerTls
from cpo_app.registry.app import build_registry
from cpo_app.registry.server import server_config
from cpo_app.settings import SettingsError
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.notices.certificates import SEEN
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.registry.conftest import ADMIN_KEY, SECRET
from tests.cpo_app.registry.pki import Pair, self_signed
from tests.cpo_app.registry.serving import serving, settings_with, until_ready
from tests.serving import running

BODY = {"cp_id": "CP-001", "location": "Berlin"}


@dataclass
class Pki:
    """A server's certificate, and two charge points' self-signed ones that it takes."""

    folder: Path

    def __post_init__(self) -> None:
        self.server = self._kept("server")
        self.own = self._kept("CP-001")
        self.other = self._kept("CP-002")
        taken = self.own.certificate_pem + self.other.certificate_pem
        (self.folder / "client-ca.pem").write_text(taken)

    def _kept(self, name: str) -> Pair:
        pair = self_signed(name)
        (self.folder / f"{name}.pem").write_text(pair.certificate_pem)
        (self.folder / f"{name}.key").write_text(pair.key_pem)
        return pair

    def files(self, name: str) -> tuple[str, str]:
        return str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key")

    def settings(self, prefix: str) -> dict[str, Any]:
        certificate, key = self.files("server")
        return {
            f"{prefix}_TLS_ENABLED": True,
            f"{prefix}_TLS_CERT_FILE": certificate,
            f"{prefix}_TLS_KEY_FILE": key,
            f"{prefix}_TLS_CLIENT_CA_FILE": str(self.folder / "client-ca.pem"),
        }

    def client(self, base: str, name: str | None = None) -> httpx.AsyncClient:
        trust = ssl.create_default_context(cafile=self.files("server")[0])
        if name is not None:
            trust.load_cert_chain(*self.files(name))
        return httpx.AsyncClient(base_url=base, verify=trust)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


def test_credentials_are_good_with_the_certificate_that_registered_alone(
    loop: Loop, db: Database, store_url: str, pki: Pki
) -> None:
    settings = settings_with(
        CPO_MONGO_URL=store_url, REGISTRY_REQUIRE_CERTIFICATE=True, **pki.settings("REGISTRY")
    )

    async def story() -> None:
        async with serving(settings) as address:
            base = f"https://{address}"
            async with (
                pki.client(base) as bare,
                pki.client(base, "CP-001") as own,
                pki.client(base, "CP-002") as other,
            ):
                await until_ready(bare)
                # Somebody else's certificate is public: to send it proves nothing.
                sent = {**BODY, "certificate_pem": pki.own.certificate_pem}
                assert (await bare.post("/cp/register", json=sent)).status_code == 403
                first = await own.post("/cp/register", json=BODY)
                assert first.status_code == 200
                credentials = first.json()["credentials"]
                body = {"cp_id": "CP-001", "credentials": credentials}
                assert (await own.post("/cp/authenticate", json=body)).status_code == 200
                for thief in (bare, other):
                    refused = await thief.post("/cp/authenticate", json=body)
                    assert refused.status_code == 403
                    assert "client certificate" in refused.json()["detail"]
                    again = await thief.post(
                        "/cp/register", json=BODY, headers={"X-Existing-Credentials": credentials}
                    )
                    assert again.status_code == 403
                assert (await own.post("/cp/authenticate", json=body)).status_code == 200
        # When it ends is known, for the notices.
        (noted,) = await SEEN.of(db).find({})
        ends = load_pem_x509_certificate(pki.own.certificate_pem.encode()).not_valid_after_utc
        assert (noted["_id"], noted["ends"]) == ("charge point CP-001", ends)

    loop.run(story())


def test_another_certificate_takes_the_operators_word(loop: Loop, store_url: str, pki: Pki) -> None:
    settings = settings_with(
        CPO_MONGO_URL=store_url, REGISTRY_ADMIN_API_KEY=ADMIN_KEY, **pki.settings("REGISTRY")
    )
    operator = {"X-Registry-API-Key": ADMIN_KEY}

    async def story() -> None:
        async with serving(settings) as address:
            base = f"https://{address}"
            async with pki.client(base, "CP-001") as old, pki.client(base, "CP-002") as new:
                await until_ready(old)
                assert (
                    await old.post("/cp/register", json=BODY, headers=operator)
                ).status_code == 200
                renewed = await new.post("/cp/register", json=BODY, headers=operator)
                body = {"cp_id": "CP-001", "credentials": renewed.json()["credentials"]}
                assert (await new.post("/cp/authenticate", json=body)).status_code == 200
                assert (await old.post("/cp/authenticate", json=body)).status_code == 403

    loop.run(story())


def test_a_certificate_that_nobody_vouches_for_makes_no_connection(
    loop: Loop, store_url: str, pki: Pki
) -> None:
    settings = settings_with(CPO_MONGO_URL=store_url, **pki.settings("REGISTRY"))
    pki._kept("stranger")

    async def story() -> None:
        async with (
            serving(settings) as address,
            pki.client(f"https://{address}", "stranger") as stranger,
        ):
            with pytest.raises(httpx.TransportError):
                await stranger.get("/healthz")

    loop.run(story())


def test_the_monitor_shows_its_certificate_and_binds_itself_when_one_is_demanded(
    loop: Loop, store_url: str, pki: Pki
) -> None:
    """It registered before certificates were demanded; its credentials let it register again."""
    certificate, key = pki.files("CP-001")
    monitor = MonitorSettings(
        cp_id="CP-001",
        location="Berlin",
        ca_file=Path(pki.files("server")[0]),
        tls_cert_file=Path(certificate),
        tls_key_file=Path(key),
        state_dir=pki.folder,
    )

    async def story() -> None:
        async with serving(settings_with(CPO_MONGO_URL=store_url)) as address:
            url = f"http://{address}"
            async with httpx.AsyncClient(base_url=url) as client:
                await until_ready(client)
                store = CredentialsStore("CP-001", pki.folder)
                before = monitor.copy(update={"registry_url": url})
                await RegistryLogin(before, client, store).login()
        demanding = settings_with(
            CPO_MONGO_URL=store_url, REGISTRY_REQUIRE_CERTIFICATE=True, **pki.settings("REGISTRY")
        )
        async with serving(demanding) as address, pki.client(f"https://{address}") as bare:
            await until_ready(bare)
            async with httpx.AsyncClient(
                verify=str(monitor.ca_file), cert=certificate_files(monitor)
            ) as http:
                now = monitor.copy(update={"registry_url": f"https://{address}"})
                login = RegistryLogin(now, http, store)
                assert (await login.login()).value
                assert (await login.login()).value
            assert (await bare.get("/cp/CP-001")).json()["has_certificate"] is True

    loop.run(story())


def test_central_hears_a_bound_charge_point_with_its_certificate_alone(
    loop: Loop, db: Database, pki: Pki
) -> None:
    settings = settings_with(**pki.settings("CENTRAL"))
    store = DbInterface(db)

    async def let_in(
        token: str | None,
        cp_id: str,
        *,
        required: bool,
        certificate: str | None = None,
        at_leisure: bool = False,
    ) -> None:
        await Admission(db, SECRET, gather_s=0).admit(
            token, cp_id, required=required, certificate=certificate
        )

    central = Central(store, settings, Vault("v" * 40), admit=let_in)
    app = FastAPI()
    add_routes(app, build_router(central))
    options = {**FrontDoor.of(settings).options(), **ServerTls.of_central(settings).options()}

    registry = settings_with(CPO_MONGO_URL="mongodb://unused", **pki.settings("REGISTRY"))
    with running(server_config(registry, build_registry(registry, store)), loop) as url:

        async def register() -> str:
            async with pki.client(url.replace("http:", "https:"), "CP-001") as own:
                return str((await own.post("/cp/register", json=BODY)).json()["token"])

        bearer = {"Authorization": f"Bearer {loop.run(register())}"}

    with running(uvicorn.Config(app, lifespan="off", **options), loop) as url:
        base = url.replace("http:", "https:")

        async def heartbeat(name: str | None) -> httpx.Response:
            async with pki.client(base, name) as client:
                body = {"cp_id": "CP-001", "interval_s": 5}
                return await client.post("/cp/heartbeat", json=body, headers=bearer)

        assert loop.run(heartbeat("CP-001")).status_code == 200
        for name in (None, "CP-002"):
            refused = loop.run(heartbeat(name))
            assert (refused.status_code, refused.json()["detail"]) == (403, WRONG_CERTIFICATE)
    loop.run(central.stop())


@pytest.mark.parametrize(("trusted", "status"), [("127.0.0.1", 200), ("10.9.8.7", 403)])
def test_a_proxys_word_counts_and_nobody_elses(
    loop: Loop, store_url: str, pki: Pki, trusted: str, status: int
) -> None:
    settings = settings_with(
        CPO_MONGO_URL=store_url,
        REGISTRY_REQUIRE_CERTIFICATE=True,
        CPO_TRUSTED_PROXIES=trusted,
        CPO_CLIENT_CERTIFICATE_HEADER="X-Client-Cert",
    )
    header = {"X-Client-Cert": quote(pki.own.certificate_pem)}

    async def story() -> None:
        async with (
            serving(settings) as address,
            httpx.AsyncClient(base_url=f"http://{address}") as client,
        ):
            await until_ready(client)
            answer = await client.post("/cp/register", json=BODY, headers=header)
            assert answer.status_code == status
            if status != 200:
                return
            body = {"cp_id": "CP-001", "credentials": answer.json()["credentials"]}
            der = ssl.PEM_cert_to_DER_cert(pki.own.certificate_pem)
            by_print = {"X-Client-Cert": hashlib.sha256(der).hexdigest().upper()}
            other = {"X-Client-Cert": quote(pki.other.certificate_pem)}
            twice = [*header.items(), *header.items()]
            for shown, expected in ((by_print, 200), (other, 403), (twice, 403), ({}, 403)):
                answer = await client.post("/cp/authenticate", json=body, headers=shown)
                assert answer.status_code == expected

    loop.run(story())


def test_a_demand_that_nobody_could_meet_is_refused_at_the_start() -> None:
    settings = settings_with(CPO_MONGO_URL="mongodb://unused", REGISTRY_REQUIRE_CERTIFICATE=True)

    with pytest.raises(SettingsError, match="REGISTRY_REQUIRE_CERTIFICATE needs"):
        server_config(settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"CENTRAL_TLS_CLIENT_CA_FILE": "/nowhere/ca.pem"}, "CLIENT_CA_FILE cannot be used"),
        ({"CENTRAL_TLS_KEY_FILE": ""}, "CENTRAL_TLS_KEY_FILE is not set"),
        ({"CENTRAL_TLS_ENABLED": False}, "CLIENT_CA_FILE is set, but"),
    ],
)
def test_tls_settings_that_cannot_be_used_are_named(
    pki: Pki, changes: dict[str, Any], message: str
) -> None:
    settings = settings_with(**{**pki.settings("CENTRAL"), **changes})

    with pytest.raises(SettingsError, match=message):
        ServerTls.of_central(settings).options()

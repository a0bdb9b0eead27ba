"""EV_Registry as a server: TLS, readiness, docs without a CDN, settings it refuses."""

from __future__ import annotations

import logging
import re
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from cpo_app.registry.app import build_registry
from cpo_app.registry.server import server_config
from cpo_app.settings import SettingsError
from db_interface.database import Database, StoreUnavailable
from db_interface.interface import DbInterface
from tests.conftest import Loop
from tests.cpo_app.registry.conftest import Api
from tests.cpo_app.registry.pki import self_signed
from tests.cpo_app.registry.serving import serving, settings_with, until_ready

NO_DATABASE = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"


def test_with_tls_enabled_it_speaks_https_only(loop: Loop, store_url: str, tmp_path: Path) -> None:
    pair = self_signed("localhost")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(pair.certificate_pem)
    key.write_text(pair.key_pem)
    settings = settings_with(
        CPO_MONGO_URL=store_url,
        REGISTRY_TLS_ENABLED=True,
        REGISTRY_TLS_CERT_FILE=str(certificate),
        REGISTRY_TLS_KEY_FILE=str(key),
    )

    async def story() -> None:
        trust = ssl.create_default_context(cafile=str(certificate))
        async with serving(settings) as address:
            async with httpx.AsyncClient(base_url=f"https://{address}", verify=trust) as client:
                await until_ready(client)
                answer = await client.post(
                    "/cp/register", json={"cp_id": "CP-001", "location": "Berlin"}
                )
                assert answer.status_code == 200
                assert (await client.get("/cp/CP-001")).json()["ocpi"]["offered"] is True
            async with httpx.AsyncClient() as plain:
                with pytest.raises(httpx.TransportError):
                    await plain.get(f"http://{address}/")

    loop.run(story())


def test_without_a_database_it_runs_and_says_what_is_missing(loop: Loop) -> None:
    async def story() -> None:
        settings = settings_with(CPO_MONGO_URL=NO_DATABASE)
        async with (
            serving(settings) as address,
            httpx.AsyncClient(base_url=f"http://{address}") as client,
        ):
            ready = await client.get("/readyz")
            listing = await client.get("/cp")
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/")).json()["status"] == "starting"
        assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
        assert listing.status_code == 503
        assert set(listing.json()) == {"error", "detail", "timestamp"}
        assert int(listing.headers["retry-after"]) > 0

    loop.run(story())


def test_a_database_that_goes_away_is_a_503_on_every_route(loop: Loop) -> None:
    async def story() -> None:
        db = Database.connect(NO_DATABASE, timeout_ms=50)
        app = build_registry(settings_with(), DbInterface(db))
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            for method, path, body in (
                ("GET", "/cp", None),
                ("GET", "/cp/CP-001", None),
                ("POST", "/cp/register", {"cp_id": "CP-001", "location": "Berlin"}),
                ("POST", "/cp/authenticate", {"cp_id": "CP-001", "credentials": "x"}),
            ):
                answer = await client.request(method, path, json=body)
                assert answer.status_code == 503, (method, path)
                assert set(answer.json()) == {"error", "detail", "timestamp"}
        db.close()

    loop.run(story())


def test_health_names_the_service(api: Api) -> None:
    health = api.get("/").json()

    assert (health["service"], health["status"]) == ("EV_Registry", "ok")
    assert api.get("/readyz").json() == {"status": "ready", "missing": []}


def test_the_docs_need_nobody_elses_server(api: Api) -> None:
    page = api.get("/docs")

    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert any(link.endswith("swagger-ui-bundle.js") for link in linked)
    for link in linked:
        assert link.startswith("/docs/")
        assert api.get(link).status_code == 200
    assert '"/openapi.json"' in api.get("/docs/start.js").text


def test_the_openapi_is_one_the_bundled_page_can_draw(api: Api) -> None:
    schema = api.get("/openapi.json").json()

    assert schema["openapi"].startswith("3.0.")
    assert set(schema["paths"]["/cp/{cp_id}"]) == {"get", "delete"}
    body = schema["paths"]["/cp/register"]["post"]["requestBody"]["content"]["application/json"]
    assert set(body["schema"]["properties"]) == {
        *("cp_id", "location", "metadata", "certificate_pem")
    }


def test_it_warns_while_anybody_may_register(
    loop: Loop, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def start(**values: Any) -> None:
        async with serving(settings_with(CPO_MONGO_URL=store_url, **values)):
            pass

    loop.run(start(REGISTRY_ADMIN_API_KEY="set"))
    assert "REGISTRY_ADMIN_API_KEY is not set" not in caplog.text
    loop.run(start())
    assert "REGISTRY_ADMIN_API_KEY is not set" in caplog.text


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"REGISTRY_SECRET_KEY": ""}, "REGISTRY_SECRET_KEY is not set"),
        ({"REGISTRY_SECRET_KEY": "s" * 31}, "REGISTRY_SECRET_KEY is shorter than 32 bytes"),
        ({"CPO_ENCRYPTION_KEY": "short"}, "CPO_ENCRYPTION_KEY is shorter"),
        ({"REGISTRY_TOKEN_EXPIRATION_HOURS": float("inf")}, "REGISTRY_TOKEN_EXPIRATION_HOURS"),
        ({"REGISTRY_TLS_ENABLED": True}, "REGISTRY_TLS_CERT_FILE is not set"),
        (
            {
                "REGISTRY_TLS_ENABLED": True,
                "REGISTRY_TLS_CERT_FILE": "nowhere.pem",
                "REGISTRY_TLS_KEY_FILE": "nowhere.pem",
            },
            "cannot be used: No such file",
        ),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_one_line(
    values: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint) as refusal:
        server_config(settings_with(CPO_MONGO_URL=NO_DATABASE, **values))

    assert "\n" not in str(refusal.value)
    assert "s" * 31 not in str(refusal.value)


def test_without_a_database_address_it_does_not_start() -> None:
    with pytest.raises(StoreUnavailable, match="CPO_MONGO_URL is not set"):
        server_config(settings_with(CPO_MONGO_URL=""))


def test_the_log_level_is_its_own() -> None:
    before = logging.getLogger("cpo.registry").level
    try:
        server_config(settings_with(CPO_MONGO_URL=NO_DATABASE, REGISTRY_LOG_LEVEL="debug"))
        assert logging.getLogger("cpo.registry").level == logging.DEBUG
    finally:
        logging.getLogger("cpo.registry").setLevel(before)

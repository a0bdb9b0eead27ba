"""Security profiles 1, 2 and 3 over real sockets: where a station may come in, with what."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from websockets.exceptions import InvalidHandshake, InvalidStatus

from cpo_app.ocpp_process import OcppProcess, doors_of
from cpo_app.settings import SettingsError
from tests.cpo_app.ocpp.conftest import PASSWORD, World
from tests.cpo_app.registry.pki import Pair, self_signed
from tests.peers.ocpp_box import RawBox
from tests.serving import free_port
from tests.settings_of import settings_of


def files(folder: Path, name: str) -> tuple[str, str, Pair]:
    pair = self_signed(name)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_text(pair.certificate_pem)
    key.write_text(pair.key_pem)
    return str(certificate), str(key), pair


def trusting(certificate: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


class Tls:
    """A gateway with both doors, and who connects at the one with TLS."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.server, key, _ = files(folder, "gateway")
        self.own = files(folder, "CP-007")
        self.others = files(folder, "CP-008")
        authorities = folder / "authorities.pem"
        authorities.write_text(self.own[2].certificate_pem + self.others[2].certificate_pem)
        self.settings = {
            "CPO_OCPP_PORT": free_port(),
            "CPO_OCPP_TLS_PORT": free_port(),
            "CPO_OCPP_TLS_CERT_FILE": self.server,
            "CPO_OCPP_TLS_KEY_FILE": key,
            "CPO_OCPP_TLS_CLIENT_CA_FILE": str(authorities),
        }

    async def start(self) -> OcppProcess:
        settings = self.world.settings.copy(update=self.settings)
        return await self.world.gateway(doors_of(settings))

    async def connects(
        self, password: str | None, shown: tuple[str, str, Pair] | None, *, plain: bool = False
    ) -> int:
        """101, or how it is refused."""
        tls = None if plain else trusting(self.server)
        if tls is not None and shown is not None:
            tls.load_cert_chain(shown[0], shown[1])
        port = self.settings["CPO_OCPP_PORT" if plain else "CPO_OCPP_TLS_PORT"]
        url = f"{'ws' if plain else 'wss'}://127.0.0.1:{port}"
        try:
            async with RawBox(url, "CP-007", password, tls=tls) as box:
                await box.call("Heartbeat")
                return 101
        except InvalidStatus as refused:
            return int(refused.response.status_code)


@pytest.fixture
def tls(world: World, tmp_path: Path) -> Tls:
    return Tls(world, tmp_path)


def test_the_profile_rises_and_never_falls(tls: Tls) -> None:
    async def story() -> None:
        await tls.world.add("CP-007")
        await tls.start()

        async def profile() -> int:
            return (await tls.world.station("CP-007"))["security_profile"]

        assert await tls.connects(PASSWORD, None, plain=True) == 101
        assert await profile() == 1
        assert await tls.connects("wrong", None) == 401
        assert await tls.connects(PASSWORD, None) == 101
        assert await profile() == 2
        assert await tls.connects(PASSWORD, None, plain=True) == 403
        assert await tls.connects(None, tls.others) == 401
        assert await tls.connects(None, tls.own) == 101
        assert await profile() == 3
        assert await tls.connects(PASSWORD, None) == 403

    tls.world.run(story())


def test_a_certificate_of_nobody_that_is_trusted_is_refused_by_tls(
    tls: Tls, tmp_path: Path
) -> None:
    async def story() -> None:
        await tls.world.add("CP-007")
        await tls.start()
        stranger = files(tmp_path, "stranger")
        with pytest.raises((OSError, EOFError, InvalidHandshake)):
            await tls.connects(None, stranger)

    tls.world.run(story())


def test_what_is_missing_is_said_before_anything_listens() -> None:
    with pytest.raises(SettingsError, match="CPO_OCPP_TLS_CERT_FILE is not set"):
        doors_of(settings_of(CPO_OCPP_TLS_PORT=9443))

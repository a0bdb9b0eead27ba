"""Where Central connects to when a monitor says where its engine is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cpo_app.central.link.engine_network import EngineAddressRefused, EngineNetwork
from cpo_app.central.link.http_link import Endpoint, HttpLink
from cpo_app.central.link.link import LinkUnreachable
from cpo_app.settings import Settings
from tests.conftest import Loop
from tests.cpo_app.central.conftest import World
from tests.cpo_app.central.engine import FakeEngine
from tests.settings_of import settings_of

PRIVATE = Settings.__fields__["CENTRAL_ENGINE_NETWORKS"].default
NEVER = [
    "169.254.169.254",
    "169.254.1.1",
    "fe80::1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "0.0.0.0",
    "224.0.0.1",
]


@pytest.mark.parametrize("address", NEVER)
def test_never_whatever_is_set(address: str) -> None:
    with pytest.raises(EngineAddressRefused):
        EngineNetwork("0.0.0.0/0, ::/0", loopback=True).check(address)


@pytest.mark.parametrize(
    ("networks", "loopback", "address", "taken"),
    [
        (PRIVATE, False, "10.1.2.3", True),
        (PRIVATE, False, "fd00::1", True),
        (PRIVATE, False, "8.8.8.8", True),
        (PRIVATE, False, "100.64.0.1", False),
        (PRIVATE, False, "127.0.0.1", False),
        (PRIVATE, False, "::1", False),
        (PRIVATE, True, "127.0.0.1", True),
        ("192.168.7.0/24", False, "10.1.2.3", False),
        ("192.168.7.0/24", False, "192.168.7.9", True),
        ("", False, "192.168.7.9", False),
    ],
)
def test_private_networks_by_setting_and_this_host_by_development(
    networks: str, loopback: bool, address: str, taken: bool
) -> None:
    network = EngineNetwork(networks, loopback=loopback)
    if taken:
        network.check(address)
        return
    with pytest.raises(EngineAddressRefused):
        network.check(address)


def test_loopback_is_for_a_central_that_serves_this_host_alone() -> None:
    assert settings_of().engines_on_this_host
    assert not settings_of(CENTRAL_HOST="0.0.0.0").engines_on_this_host


def test_a_registration_from_a_forbidden_place_is_refused_by_field(world: World) -> None:
    public = world.api(world.central(CENTRAL_HOST="0.0.0.0"))
    shown = world.enrol("CP-001")

    for host in ("127.0.0.1", "::ffff:169.254.169.254", "100.100.100.200"):
        answer = public.register(shown, host=host)
        assert answer.status_code == 400, host
        assert answer.json()["detail"].startswith("cp_e_host: ")
    assert public.register(shown, host="10.1.2.3").status_code == 200


def test_a_name_is_judged_by_what_it_means_and_that_is_connected_to(loop: Loop) -> None:
    engine = FakeEngine()
    engine.key = "k" * 64
    asked: list[str] = []
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return answers.pop(0)

    async def find(cp_id: str) -> Endpoint:
        return Endpoint("engine.example", engine.port, engine.key)

    async def story() -> None:
        link = HttpLink(find, network=EngineNetwork("", loopback=True, resolve=resolve))
        try:
            answer = await link.get_status("CP-001", "c1")
            assert answer.accepted
            with pytest.raises(LinkUnreachable, match="a metadata service") as refused:
                await link.get_status("CP-001", "c2")
            assert refused.value.sent is False
        finally:
            await link.close()

    with engine.running(loop):
        loop.run(asyncio.wait_for(story(), 20))
    assert asked == ["engine.example", "engine.example"]

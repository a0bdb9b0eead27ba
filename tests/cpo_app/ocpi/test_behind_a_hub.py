"""Our CPO and a hub with eMSPs behind it, each on its own server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from cpo_app.ocpi.peer_services.realtime_authorization import RealtimeAuthorization
from cpo_app.ocpi.peer_services.token_pull import TokenPull
from cpo_app.ocpi_caller import CallError
from db_interface.database import Database
from domain.authorization.authorization_answer import Question
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace
from tests.cpo_app.ocpi.conftest import ANYBODY, Face
from tests.cpo_app.ocpi.roaming import CLIENT, Roaming, roaming_with, roaming_without_central
from tests.domain.imports.test_changes import location


@pytest.fixture
def roaming(db: Database, loop: Loop) -> Iterator[Roaming]:
    with contextlib.closing(CommandFace(db, loop)) as world, roaming_with(world, loop) as roaming:
        yield roaming


@pytest.fixture
def running_clock(face: Face, loop: Loop) -> Iterator[Roaming]:
    with roaming_without_central(face, loop) as roaming:
        yield roaming


def test_the_hub_registers_with_us_as_hub_alone(roaming: Roaming) -> None:
    roaming.hub_registers()
    peer = roaming.loop.run(roaming.world.peers.get(roaming.peer_id))
    assert peer.status == "connected"
    assert [(role["role"], role["party_id"]) for role in peer.roles] == [("HUB", "HUB")]
    assert peer.endpoint("hubclientinfo", "SENDER") == f"{roaming.hub.module_url}/hubclientinfo"
    assert roaming.hub.cpo_parties == [("DE", "CPO")]


def test_we_register_with_the_hub(roaming: Roaming) -> None:
    hub = roaming.hub
    invitation = hub.token_for_cpo
    peer = roaming.loop.run(
        roaming.world.face.joining.connect(hub.versions_url, invitation, "Hub", False, ANYBODY)
    )
    assert peer.status == "connected"
    assert hub.token_for_cpo != invitation
    with pytest.raises(CallError, match="none of your"):
        roaming.loop.run(hub.sessions("FR/CLI"))


def test_locations_arrive_as_a_broadcast_for_all_connected_clients(roaming: Roaming) -> None:
    roaming.hub_registers()
    roaming.hub.client("NL/MSP").status = "OFFLINE"
    roaming.publish(location(country_code="DE", party_id="CPO"))

    mailbox = roaming.hub.mailbox
    roaming.loop.run(mailbox.until(lambda: bool(mailbox.of("locations"))))

    [message] = mailbox.of("locations")
    assert (message.sender, message.to) == (("DE", "CPO"), ("FR", "HUB"))
    assert message.clients == (CLIENT, ("DE", "KUN"))
    assert message.body["id"] == "L1"


def test_faults_of_the_hub_delay_a_location_and_lose_nothing(running_clock: Roaming) -> None:
    roaming = running_clock
    roaming.hub_registers()
    roaming.hub.faults.coming.extend(["500", "half-json"])
    roaming.publish(location(country_code="DE", party_id="CPO"))
    mailbox = roaming.hub.mailbox
    roaming.loop.run(
        mailbox.until(lambda: len(mailbox.of("locations")) == 2, timeout_s=60), timeout_s=70
    )
    assert roaming.hub.faults.committed == ["500", "half-json"]
    assert {message.body["id"] for message in mailbox.of("locations")} == {"L1"}


def test_the_tokens_of_all_its_clients_are_pulled(roaming: Roaming) -> None:
    roaming.hub_registers()
    world = roaming.world
    pull = TokenPull(
        roaming.store,
        world.face.settings,
        world.peers,
        world.client,
        world.face.authenticator.may_speak_for,
    )
    report = roaming.loop.run(pull.pull_now(roaming.peer_id, full=True))
    assert report.complete, report.problem
    kept = {row["fields"]["uid"] for row in roaming.stored("tokens")}
    assert kept == {uid for client in roaming.hub.clients.values() for uid in client.cards}


def test_a_client_starts_and_stops_and_the_results_reach_it(roaming: Roaming) -> None:
    roaming.hub_registers()
    hub, mailbox, run = roaming.hub, roaming.hub.mailbox, roaming.loop.run
    assert isinstance(roaming.world, CommandFace)
    settle = roaming.world.settle

    assert run(hub.start("FR/CLI", "SITE-1", "CP-001")) == "ACCEPTED"
    settle()
    run(mailbox.until(lambda: len(mailbox.of("commands", CLIENT)) == 1))
    [started] = mailbox.of("commands", CLIENT)
    assert started.path.startswith("START_SESSION/")
    assert (started.to, started.body) == (CLIENT, {"result": "ACCEPTED"})
    [session] = run(hub.sessions("FR/CLI"))
    assert session["cdr_token"]["party_id"] == "CLI"
    assert run(hub.sessions("DE/KUN")) == []

    assert run(hub.stop("FR/CLI", session["id"])) == "ACCEPTED"
    settle()
    run(mailbox.until(lambda: len(mailbox.of("commands", CLIENT)) == 2))
    stopped = mailbox.of("commands", CLIENT)[1]
    assert stopped.path.startswith("STOP_SESSION/")
    assert stopped.body == {"result": "ACCEPTED"}


async def asks_for_a_profile(roaming: Roaming, session_id: str) -> None:
    """GET ActiveChargingProfile in the client's name."""
    hub = roaming.hub
    cpo, client = await hub.cpo(), hub.client("FR/CLI")
    response_url = quote(f"{hub.module_url}/chargingprofiles/result-1", safe="")
    url = (
        f"{cpo.endpoints['chargingprofiles']}/{session_id}?duration=60&response_url={response_url}"
    )
    await cpo.call("GET", url, headers=hub._from(client))


@pytest.mark.parametrize("kind", ["command", "profile"])
def test_a_result_for_a_client_that_is_offline_waits_and_goes_out_when_it_is_back(
    roaming: Roaming, kind: str
) -> None:
    roaming.hub_registers()
    hub, mailbox, run = roaming.hub, roaming.hub.mailbox, roaming.loop.run
    assert isinstance(roaming.world, CommandFace)
    world = roaming.world
    module = "commands"
    run(hub.start("FR/CLI", "SITE-1", "CP-001"))
    if kind == "profile":
        module = "chargingprofiles"
        world.settle()
        [session] = run(hub.sessions("FR/CLI"))
        run(asks_for_a_profile(roaming, session["id"]))

    run(hub.set_status("FR/CLI", "OFFLINE"))
    world.settle()
    assert mailbox.of(module, CLIENT) == []
    for _ in range(3):  # put off further each time
        world.central.clock.advance(4)
        world.settle()
    assert mailbox.of(module, CLIENT) == []

    run(hub.set_status("FR/CLI", "CONNECTED"))
    world.settle()  # the clock stands still: at once, not when it would be tried again
    [told] = mailbox.of(module, CLIENT)
    assert told.to == CLIENT
    assert told.body["result"] == "ACCEPTED"


def test_a_client_is_asked_about_its_cards_while_it_is_online(roaming: Roaming) -> None:
    roaming.hub_registers()
    world, run = roaming.world, roaming.loop.run
    asking = RealtimeAuthorization(
        world.peers, world.client, world.face.authenticator.may_speak_for
    )

    def can_be_asked() -> bool:
        emsp = run(asking.behind(*CLIENT))
        assert emsp is not None and emsp.peer_id == roaming.peer_id
        return emsp.can_be_asked

    assert can_be_asked()
    run(roaming.hub.set_status("FR/CLI", "OFFLINE"))
    assert not can_be_asked()
    run(roaming.hub.set_status("FR/CLI", "CONNECTED"))
    assert can_be_asked()
    emsp = run(asking.behind(*CLIENT))
    assert emsp is not None
    question = Question("FR-CLI-CARD-1", "RFID", "SITE-1", "CP-001", "DE", "CPO")
    assert run(asking.ask(emsp, question, 10)).data is not None


def test_a_client_that_goes_and_comes_is_told_of(roaming: Roaming) -> None:
    roaming.hub_registers()
    for status in ("OFFLINE", "CONNECTED"):
        roaming.loop.run(roaming.hub.set_status("FR/CLI", status))
        [kept] = roaming.stored("hubclientinfo", owner="fr*cli")
        assert (kept["fields"]["party_id"], kept["fields"]["status"]) == ("CLI", status)


def test_the_hub_parts_with_us(roaming: Roaming) -> None:
    roaming.hub_registers()
    roaming.loop.run(roaming.hub.unregister())
    assert roaming.loop.run(roaming.world.peers.all(status="connected")) == []

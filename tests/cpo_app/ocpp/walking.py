"""A use case of the OCA's test lists, walked: a station of 1.6 or 2.0.1 on a real socket, the
gateway, a worker for commands, the operator, and a real store."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from cpo_app.actions import commands as command_actions
from cpo_app.actions import ocpp
from cpo_app.actions.action import Action, P, Refused, perform
from cpo_app.house import house_of
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import party_key
from domain.charge_points import charge_points
from domain.commands.command_queue import Command
from domain.objects.tokens import owned_token
from domain.operator.commands import said_of
from domain.operators.actor import acting_as
from domain.peers import claims
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from domain.sessions.session_records import SESSIONS
from tests.cpo_app.ocpp.conftest import KEY, PASSWORD, World
from tests.cpo_app.ocpp.test_commands import INES, METADATA, asked, working
from tests.domain.authorization.test_authorization import token
from tests.peers.ocpp_box import Box16, Box21, Box201

CARD, FRIEND = "CARD", "FRIEND"
STATION = "CP-007"
BoxT = TypeVar("BoxT", Box16, Box201, Box21)


@dataclass
class Walk(Generic[BoxT]):
    """The station has booted and is Available; CARD and FRIEND charge unasked, and are of one
    group."""

    world: World
    box: BoxT
    url: str

    async def do(self, action: Action[P], **given: object) -> JsonObject:
        """The operator does it there."""
        house = house_of(self.world.gateways[0]._backend)
        with acting_as(INES):
            return await perform(
                house, action, action.parameters.parse_obj({"cp_id": STATION, **given})
            )

    async def call(self, ocpp_action: str, **payload: Any) -> JsonMapping:
        """The operator calls it; what the station said."""
        done = await self.do(ocpp.CALL, ocpp_action=ocpp_action, payload=payload, meant=True)
        said: JsonMapping = done["answer"]
        return said

    async def refusal(self, action: Action[P], **given: object) -> str:
        """What the operator is told where it does not go."""
        try:
            done = await self.do(action, **given)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f"it was done: {done}")

    async def command(self, action: Action[P], **given: object) -> Command:
        """A command of the operator's, once it has ended."""
        return await asked(self.world, action, cp_id=STATION, **given)

    async def commanded(self, action: Action[P], **given: object) -> str:
        return str(said_of(await self.command(action, **given)))

    async def start(self) -> Command:
        command = await self.command(command_actions.START)
        assert said_of(command) == "ACCEPTED"
        return command

    async def is_shown(self, ocpi_status: str, cp_id: str = STATION) -> None:
        """Return when eMSPs see that status."""

        async def shown() -> bool:
            known = await charge_points.get(self.world.db, cp_id)
            return known is not None and known["ocpi_status"] == ocpi_status

        await self.world.until(shown)

    async def session(self, status: str) -> JsonMapping:
        """The one that is in that state; waits for it."""

        async def found() -> JsonMapping | None:
            return await SESSIONS.of(self.world.db).find_one({"status": status})

        there: JsonMapping = await self.world.until(found)
        return there

    async def sessions(self) -> list[str]:
        return [one["status"] for one in await SESSIONS.of(self.world.db).find({})]

    async def billed_kwh(self) -> list[float]:
        rows = await self.world.store.objects("cdrs").documents({})
        return [float(row["fields"]["total_energy"]) for row in rows]

    async def again(self) -> BoxT:
        """The station comes back, as after a cut."""
        await self.box.drop()
        await self.box.connect()
        return self.box


Story = Callable[[Walk[BoxT]], Awaitable[None]]


@contextlib.asynccontextmanager
async def walk16(world: World) -> AsyncIterator[Walk[Box16]]:
    await _prepared(world)
    async with world.box16(STATION) as box, working(world):
        await box.boot()
        await box.status("Available", 0)
        await box.status("Available")
        yield Walk(world, box, world.url())


@contextlib.asynccontextmanager
async def walk201(world: World) -> AsyncIterator[Walk[Box201]]:
    await _prepared(world)
    async with world.box201(STATION) as box, working(world):
        await box.boot()
        await box.status("Available")
        yield Walk(world, box, world.url())


@contextlib.asynccontextmanager
async def walk21(world: World) -> AsyncIterator[Walk[Box21]]:
    await _prepared(world)
    await world.gateway()
    async with Box21(world.url(), STATION, PASSWORD) as box, working(world):
        await box.boot()
        await box.status("Available")
        yield Walk(world, box, world.url())


async def _prepared(world: World) -> None:
    await world.add(STATION, metadata=METADATA)
    peers = Peers(world.db, Vault(KEY))
    now = world.db.now()
    peer, _ = await peers.invite("eMSP", now, ANY_PARTY)
    await peers.connect(
        peer.peer_id,
        our_token=new_token(),
        their_token=new_token(),
        now=now,
        roles=[{"role": "EMSP", "country_code": "DE", "party_id": "TNM"}],
        endpoints=[],
    )
    held = (await claims.audiences_of(world.db, party_key("DE", "TNM")))[-1]
    for uid in (CARD, FRIEND):
        known = token(uid, whitelist="ALWAYS", group_id="FAMILY")
        await world.store.create("tokens", owned_token(known, held))


class Cases(Generic[BoxT]):
    """The walks of one version, by the names that the docs list them by."""

    def __init__(self) -> None:
        self.stories: dict[str, Story[BoxT]] = {}

    def __call__(self, name: str) -> Callable[[Story[BoxT]], Story[BoxT]]:
        def keep(story: Story[BoxT]) -> Story[BoxT]:
            assert name not in self.stories, name
            self.stories[name] = story
            return story

        return keep


def documented(version: str) -> list[str]:
    """The use cases that docs/ocpp-use-cases.md lists for that version."""
    page = (Path(__file__).parents[3] / "docs" / "ocpp-use-cases.md").read_text()
    part = page.split(f"## OCPP {version}\n")[1].split("\n## ")[0]
    rows = [row for row in part.splitlines() if row.startswith("| ") and "---" not in row][1:]
    return [row.strip("| ").split(" | ")[1].strip() for row in rows]

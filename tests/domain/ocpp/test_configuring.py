"""A station's configuration: read, held against templates, put right; reports in parts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.ocpp import configurations, configuring, stations, templates
from domain.ocpp.configuring import NotTold
from domain.ocpp.stations import Station
from domain.ocpp.templates import NoSuchTemplate, Template, TemplateRefused
from tests.conftest import Loop


class Box:
    """A station's values by key; `refuses`: keys that it does not take."""

    def __init__(self, values: dict[str, str], refuses: Sequence[str] = ()) -> None:
        self.values = values
        self.refuses = refuses
        self.told: list[JsonObject] = []

    async def ask(self, op: str, fields: JsonMapping) -> JsonObject:
        if op == "get_configuration":
            keys = fields["keys"] or list(self.values)
            entries = [
                {"key": key, "value": self.values[key], "readonly": False}
                for key in keys
                if key in self.values
            ]
            return {"result": "ACCEPTED", "entries": entries, "unknown": []}
        statuses = []
        for row in fields["values"]:
            self.told.append(dict(row))
            taken = row["key"] not in self.refuses
            if taken:
                self.values[row["key"]] = row["value"]
            statuses.append({"key": row["key"], "status": "Accepted" if taken else "Rejected"})
        return {"result": "ACCEPTED", "statuses": statuses}


@pytest.fixture
def store(db: Database) -> DbInterface:
    return DbInterface(db)


async def station(store: DbInterface, **facts: str) -> Station:
    async def work(tx: Tx) -> Station:
        return await stations.add(tx, "CP-007", password_hash=None)

    made = await store.transact(work)
    changes: Station = {"protocol": "ocpp1.6", "vendor": "Acme", "model": "X1"}
    changes = {**changes, **facts}  # type: ignore[typeddict-item]
    await stations.update(store.db, "CP-007", changes)
    return {**made, **changes}


async def template(store: DbInterface, name: str, values: dict[str, str], **of: object) -> None:
    version = str(of.pop("version", "1.6"))

    async def work(tx: Tx) -> Template:
        return await templates.put(tx, name, version=version, values=values, **of)  # type: ignore[arg-type]

    await store.transact(work)


def test_what_is_not_as_a_template_wants_it_is_told_and_what_came_of_it_kept(
    loop: Loop, store: DbInterface
) -> None:
    box = Box(
        {"HeartbeatInterval": "900", "LocalPreAuthorize": "True", "Locked": "a"},
        refuses=["Locked"],
    )

    async def scenario() -> None:
        cp = await station(store)
        await template(
            store,
            "all",
            {"HeartbeatInterval": "60", "LocalPreAuthorize": "true", "Locked": "b"},
        )
        first = await configuring.configure(store, cp, box.ask)
        assert first["templates"] == ["all"]
        assert [(one["key"], one["has"], one["status"]) for one in first["drift"]] == [
            ("HeartbeatInterval", "900", "Accepted"),
            ("Locked", "a", "Rejected"),
        ]
        kept = await configurations.get(store.db, "CP-007")
        assert kept is not None
        assert {one["key"]: one["value"] for one in kept["entries"]} == {
            "HeartbeatInterval": "60",
            "LocalPreAuthorize": "True",
            "Locked": "a",
        }
        assert kept["drift"] == first["drift"]

        box.told.clear()
        box.values["HeartbeatInterval"] = "300"  # somebody at the box
        again = await configuring.configure(store, cp, box.ask)
        assert {"key": "HeartbeatInterval", "value": "60"} in box.told
        assert again["drift"][0]["has"] == "300"
        assert box.values["HeartbeatInterval"] == "60"

    loop.run(scenario())


def test_a_station_as_it_should_be_is_told_nothing(loop: Loop, store: DbInterface) -> None:
    box = Box({"HeartbeatInterval": "60"})

    async def scenario() -> None:
        cp = await station(store)
        await template(store, "all", {"HeartbeatInterval": "60"})
        assert (await configuring.configure(store, cp, box.ask))["drift"] == []

    loop.run(scenario())
    assert box.told == []


def test_the_more_particular_template_has_the_last_word(loop: Loop, store: DbInterface) -> None:
    box = Box({})

    async def scenario() -> None:
        cp = await station(store)
        await template(store, "a one", {"A": "one"}, stations=["cp-007"])
        await template(store, "b model", {"A": "model", "B": "model"}, model="x1")
        await template(store, "c vendor", {"B": "vendor", "C": "vendor"}, vendor="ACME")
        await template(store, "d all", {"A": "all", "C": "all", "D": "all"})
        await template(store, "e other", {"A": "other"}, vendor="Emca")
        await template(store, "f other", {"A": "other"}, stations=["CP-008"])
        await template(store, "g newer", {"Auth.A": "other"}, version="2")
        done = await configuring.configure(store, cp, box.ask)
        assert done["templates"] == ["a one", "b model", "c vendor", "d all"]

    loop.run(scenario())
    assert box.values == {"A": "one", "B": "model", "C": "vendor", "D": "all"}


def test_of_a_device_model_only_what_is_wanted_is_read(loop: Loop, store: DbInterface) -> None:
    box = Box({"SmartChargingCtrlr.RateUnit": "A,W", "AuthCtrlr.Enabled": "false", "X.Y": "1"})

    async def scenario() -> None:
        cp = await station(store, protocol="ocpp2.0.1")
        await template(store, "all", {"AuthCtrlr.Enabled": "true"}, version="2")
        await configuring.configure(store, cp, box.ask)
        kept = await configurations.get(store.db, "CP-007")
        assert kept is not None
        assert [(one["key"], one["value"]) for one in kept["entries"]] == [
            ("AuthCtrlr.Enabled", "true"),
            ("SmartChargingCtrlr.RateUnit", "A,W"),
        ]

    loop.run(scenario())


@pytest.mark.parametrize(
    ("told", "units"),
    [("Current", ["A"]), ("Power", ["W"]), ("Current,Power", ["A", "W"]), (" power ", ["W"])],
)
def test_the_units_of_charging_profiles_are_learnt(
    loop: Loop, store: DbInterface, told: str, units: list[str]
) -> None:
    async def scenario() -> None:
        cp = await station(store)
        box = Box({"ChargingScheduleAllowedChargingRateUnit": told})
        await configuring.configure(store, cp, box.ask)
        known = await stations.get(store.db, "CP-007")
        assert known is not None
        assert known["rate_units"] == units

    loop.run(scenario())


@pytest.mark.parametrize(
    ("protocol", "key"),
    [
        ("ocpp1.6", "ChargingScheduleMaxPeriods"),
        ("ocpp2.0.1", "SmartChargingCtrlr.PeriodsPerSchedule"),
    ],
)
def test_how_long_a_charging_profile_may_be_is_learnt(
    loop: Loop, store: DbInterface, protocol: str, key: str
) -> None:
    async def scenario() -> None:
        cp = await station(store, protocol=protocol)
        for told, known in (("6", 6), ("many", 6), ("0", 6), (" 24 ", 24)):
            await configuring.configure(store, cp, Box({key: told}).ask)
            kept = await stations.get(store.db, "CP-007")
            assert kept is not None
            assert kept["max_periods"] == known

    loop.run(scenario())


def test_a_station_that_tells_nothing(loop: Loop, store: DbInterface) -> None:
    async def ask(op: str, fields: JsonMapping) -> JsonObject:
        return {"result": "NOT_SUPPORTED", "message": "NotImplemented"}

    async def scenario() -> None:
        with pytest.raises(NotTold, match="NotImplemented"):
            await configuring.configure(store, await station(store), ask)
        assert await configurations.get(store.db, "CP-007") is None

    loop.run(scenario())


def test_no_secret_is_kept(loop: Loop, store: DbInterface) -> None:
    box = Box({"AuthorizationKey": "0123456789abcdef"})

    async def scenario() -> None:
        await configuring.configure(store, await station(store), box.ask)
        kept = await configurations.get(store.db, "CP-007")
        assert "0123456789abcdef" not in str(kept)

    loop.run(scenario())


@pytest.mark.parametrize(
    ("version", "values", "why"),
    [
        ("1.6", {}, "values: 1 to"),
        ("1.5", {"A": "1"}, "version: one of"),
        ("1.6", {"AuthorizationKey": "secret"}, "every station has its own"),
        ("2", {"SecurityCtrlr.BasicAuthPassword": "secret"}, "every station has its own"),
        ("2", {"HeartbeatInterval": "1"}, "write COMPONENT"),
        ("1.6", {"A": "x" * 501}, "too long"),
        ("1.6", {"A" * 51: "x"}, "1 to 50"),
    ],
)
def test_what_is_no_template_is_refused(
    loop: Loop, store: DbInterface, version: str, values: dict[str, str], why: str
) -> None:
    with pytest.raises(TemplateRefused, match=why):
        loop.run(template(store, "one", values, version=version))


def test_a_template_is_replaced_and_removed(loop: Loop, store: DbInterface) -> None:
    async def scenario() -> None:
        await template(store, "one", {"A": "1"})
        await template(store, "one", {"B": "2"})
        [only] = await templates.all_of(store.db)
        assert only["values"] == [{"key": "B", "value": "2"}]
        await store.transact(lambda tx: templates.remove(tx, "one"))
        assert await templates.all_of(store.db) == []
        with pytest.raises(NoSuchTemplate, match="one: no such template"):
            await store.transact(lambda tx: templates.remove(tx, "one"))

    loop.run(scenario())


def part(request_id: int, key: str, *, more: bool) -> JsonObject:
    component, _, variable = key.partition(".")
    return {
        "requestId": request_id,
        "tbc": more,
        "reportData": [
            {
                "component": {"name": component},
                "variable": {"name": variable},
                "variableAttribute": [{"value": "1"}],
            }
        ],
    }


def test_a_report_counts_once_its_last_part_is_there(loop: Loop, store: DbInterface) -> None:
    async def keys() -> list[str]:
        kept = await configurations.get(store.db, "CP-007")
        return [] if kept is None else [one["key"] for one in kept.get("entries", [])]

    async def tell(report: JsonObject) -> None:
        await store.transact(lambda tx: configurations.report_part(tx, "CP-007", report))

    async def scenario() -> None:
        await tell(part(7, "A.A", more=False))
        assert await keys() == []  # nobody has asked for it
        await store.transact(lambda tx: configurations.report_asked(tx, "CP-007", 8))
        await tell(part(8, "B.B", more=True))
        await tell(part(7, "A.A", more=True))
        assert await keys() == []
        await tell(part(8, "C.C", more=False))
        assert await keys() == ["B.B", "C.C"]
        await tell(part(8, "D.D", more=False))
        assert await keys() == ["B.B", "C.C"]

    loop.run(scenario())

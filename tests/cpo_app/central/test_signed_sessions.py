"""Signed meter values, from the engine's meter to the driver's file: nothing lost, all verified."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cpo_app.charge_point.evse import Evse, EvseConfig
from cpo_app.charge_point.journal import Journal
from cpo_app.charge_point.power import Car, Supply
from cpo_app.charge_point.recorder import Recorder
from cpo_app.charge_point.signing import MeterSigner, meter_key
from cpo_app.charge_point.timeline import Timeline
from domain.metering import meter_keys
from domain.metering.ocmf import parse
from domain.metering.public_keys import read_public_key
from domain.metering.signatures import Checked, Verdict, check_record
from domain.metering.signed_energy import signed_energy_wh
from domain.metering.transparency import transparency_file
from domain.times import format_datetime
from tests.cpo_app.central.conftest import World
from tests.cpo_app.central.test_charging import Charging
from tests.cpo_app.charge_point.worlds import FakeClock
from tests.domain.metering.vectors import public_text


class SigningEngine:
    """The engine's parts without its sockets; its clock is years behind Central's."""

    def __init__(self, state_dir: Path) -> None:
        self.clock = FakeClock()
        self.journal = Journal(state_dir / "engine.sqlite")
        self.timeline = Timeline(self.clock)
        self.recorder = Recorder(self.journal, self.timeline, lambda: None)
        self.evse = Evse(
            Supply(22_000, 230, 3),
            EvseConfig(Car(60_000, 0.2, 50_000)),
            self.clock,
            self.recorder.emit,
            MeterSigner(meter_key(state_dir, "CP-001"), "CP-001", self.timeline),
        )
        if memory := self.journal.state():
            self.evse.restore(memory)

    def messages(self) -> list[dict[str, Any]]:
        self.recorder.commit(self.evse.as_dict())
        batch = self.journal.batch(500)
        assert batch is not None
        self.journal.acknowledge(batch[0], batch[1][-1]["seq"])
        return batch[1]


class Signed(Charging):
    def __init__(self, world: World, state_dir: Path) -> None:
        super().__init__(world)
        self.state_dir = state_dir
        self.engine = SigningEngine(state_dir)

    def believe(self, key: str, connector_id: str | None = None) -> None:
        async def work(tx: Any) -> None:
            await meter_keys.set_key(tx, "CP-001", connector_id, key)

        self.world.loop.run(self.central.store.transact(work))

    def deliver(self, **changes: Any) -> None:
        messages = [
            {**m, **changes} if m["kind"] == "session_stopped" else m
            for m in self.engine.messages()
        ]
        response = self.api.telemetry(
            self.token,
            *messages,
            boot_id=self.engine.recorder.boot_id,
            sent_at=format_datetime(self.engine.timeline.now()),
        )
        assert response.status_code == 200, response.text

    def charge(self, **changes: Any) -> str:
        """An hour, with a restart of the engine in the middle."""
        session_id = self.open()
        self.engine.evse.start(session_id, "local", id_tag="CARD|1")
        self.engine.evse.plug()
        self.deliver()
        self.engine.journal.close()
        self.engine = SigningEngine(self.state_dir)
        self.engine.clock.turn(3600)
        self.world.clock.advance(3600)
        self.engine.evse.stop(session_id, "local")
        self.deliver(**changes)
        return session_id


@pytest.fixture
def signed(world: World, tmp_path: Path) -> Iterator[Signed]:
    signed = Signed(world, tmp_path)
    yield signed
    signed.engine.journal.close()


def test_what_the_meter_signed_is_in_the_cdr_and_in_the_drivers_file(
    signed: Signed, tmp_path: Path
) -> None:
    public = tmp_path / "meter-CP-001.pub"
    signed.believe(public_text())
    signed.believe(public.read_text(), "1")
    session_id = signed.charge()
    assert signed.inner(session_id)["signature"] == {
        "verdict": "verified",
        "reason": None,
        "problem": None,
    }
    (cdr,) = signed.cdrs()
    data = cdr["signed_data"]
    assert {name: data[name] for name in data if name not in ("signed_values", "public_key")} == {
        "encoding_method": "OCMF",
        "encoding_method_version": 1,
        "url": "https://transparenz.software/",
    }
    assert [value["nature"] for value in data["signed_values"]] == ["Start", "End"]
    assert signed_energy_wh(data) == 22_000 == Decimal(str(cdr["total_energy"])) * 1000
    # Whoever has the file alone comes to the same end.
    values = list(ElementTree.fromstring(transparency_file(cdr)))
    records = [parse(value.findtext("signedData") or "") for value in values]
    keys = [read_public_key(value.findtext("publicKey") or "") for value in values]
    assert [check_record(r, k) for r, k in zip(records, keys, strict=True)] == [
        Checked(Verdict.VERIFIED)
    ] * 2
    assert [record.pagination for record in records] == ["T1", "T2"]
    key = tmp_path / "meter-CP-001.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_key_that_travels_with_the_data_proves_nothing(signed: Signed) -> None:
    session_id = signed.charge()
    assert signed.inner(session_id)["signature"]["verdict"] == "no key"
    (cdr,) = signed.cdrs()
    assert len(cdr["signed_data"]["signed_values"]) == 2


def test_another_meters_signature_is_wrong(signed: Signed) -> None:
    signed.believe(public_text())
    session_id = signed.charge()
    assert signed.inner(session_id)["signature"] == {
        "verdict": "wrong",
        "reason": "Start: the signature is not of the kept key over this data",
        "problem": None,
    }


def test_energy_that_the_meter_did_not_sign_for_is_found(signed: Signed, tmp_path: Path) -> None:
    signed.believe((tmp_path / "meter-CP-001.pub").read_text())
    session_id = signed.charge(energy_wh=23_000.0)
    assert signed.inner(session_id)["signature"] == {
        "verdict": "verified",
        "reason": None,
        "problem": "the meter signed for 22000 Wh, billed are 23000.0 Wh",
    }


def test_what_is_no_signed_data_is_left_out_and_counted(signed: Signed) -> None:
    session_id = signed.charge(signed_data="scribble")
    assert signed.inner(session_id)["signature"] == {
        "verdict": "dropped",
        "reason": "neither OCMF nor an OCPI SignedData object",
        "problem": None,
    }
    (cdr,) = signed.cdrs()
    assert "signed_data" not in cdr

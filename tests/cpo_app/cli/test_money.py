"""`cpo tariffs`, `cpo cdrs` and `cpo price` as a person or a script runs them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cpo_app.cli.spreadsheets import print_csv
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.charge_points import registrations
from domain.charge_points.registrations import Application, Proof
from domain.peers.peer_document import PEERS
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo, Ran
from tests.domain.metering.vectors import data, public_text, signed
from tests.domain.sessions.worlds import World, element, reading, tariff
from tests.settings_of import settings_of

PRICED = Path(__file__).parents[2] / "data" / "pricing"
DUTCH = Path(
    os.environ.get("OCPI_TEST_DATA") or Path(__file__).parents[3] / ".." / "shared" / "data" / "ndw"
)


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop, tariff("T1", element("FLAT", 0.5), element("ENERGY", 0.4)))


def charged(world: World, kwh: float = 10.0, start: float = 0) -> str:
    session_id = world.open(start)
    world.begin(session_id, start)
    world.meter(session_id, reading(start + 1800, kwh * 500))
    world.meter(session_id, reading(start + 1800, kwh * 500, 0.0))
    world.end(session_id, start + 3600, kwh * 1000)
    return session_id


def saved(path: Path, data: Any) -> str:
    content = json.dumps(data).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return str(path)


# --- tariffs ------------------------------------------------------------------------------------


def test_tariffs_go_in_come_out_and_go(cpo: Cpo, tmp_path: Path) -> None:
    two = [tariff("T1"), tariff("T2", type="PROFILE_FAST")]
    given = saved(tmp_path / "tariffs.json.gz", {"data": two, "status_code": 1000})
    assert cpo("tariffs", "import", given) == Ran(
        0, "imported 2 (2 new, 0 changed), unchanged 0, refused 0\n", ""
    )
    stored = cpo("tariffs", "export").json()
    assert [{**row, "last_updated": two[0]["last_updated"]} for row in stored] == two
    assert cpo("tariffs", "import", given, "--party", "de/cpo").code == 0
    assert [t["country_code"] for t in cpo("tariffs", "export", "--party", "DE/CPO").json()] == [
        "DE",
        "DE",
    ]
    refused = cpo("tariffs", "remove", "t1")
    assert (refused.code, refused.err) == (
        1,
        "cpo: several parties have a tariff t1: name one with --party\n",
    )
    assert cpo("tariffs", "remove", "t1", "--party", "NL/EVC").code == 0
    rows = cpo("tariffs", "list", "--json").json()
    assert [(row["party"], row["id"], row["type"], row["prices"]) for row in rows] == [
        ("DE/CPO", "T2", "PROFILE_FAST", ["ENERGY"]),
        ("DE/CPO", "T1", None, ["ENERGY"]),
        ("NL/EVC", "T2", "PROFILE_FAST", ["ENERGY"]),
    ]
    table = cpo("tariffs", "list")
    assert "0.40 €/kWh" in table.out and "for who wants to charge fast" in table.out
    shown = cpo("tariffs", "show", "t1")
    assert shown.out.startswith("0.40 €/kWh\n")
    assert shown.err.startswith("named by 0 connectors")
    first = cpo("tariffs", "list", "--limit", "1")
    assert first.out.count("/kWh") == 1
    assert first.err == "the newest 1; --limit shows more\n"


def test_what_contradicts_itself_is_refused_with_the_reason_and_the_rest_goes_in(
    cpo: Cpo, tmp_path: Path
) -> None:
    never = tariff("NEVER", element("ENERGY", 1, min_kwh=20, max_kwh=10))
    odd = tariff("ODD", element("ENERGY", 1, start_time="08:00", end_time="17:59"))
    bad = {**tariff("BAD"), "currency": 7}
    ran = cpo("tariffs", "import", saved(tmp_path / "t.json", [tariff(), never, odd, bad, "x"]))
    assert (ran.code, ran.out) == (1, "imported 2 (2 new, 0 changed), unchanged 0, refused 3\n")
    lines = ran.err.splitlines()
    assert "refused NEVER: elements[0].restrictions: min_kwh 20 is not below max_kwh 10" in lines[0]
    assert lines[1].startswith("refused BAD: currency")
    assert lines[2] == "refused #5: is str, not an object"
    assert lines[3].startswith("warning ODD: elements[0].restrictions: end_time 17:59 is exclusive")


def test_real_tariffs_go_in(cpo: Cpo, tmp_path: Path) -> None:
    source = DUTCH / "tariff_shapes.json"
    if not source.exists():
        pytest.skip(f"no Dutch tariffs at {source} (OCPI_TEST_DATA)")
    rows = [shape["example"] for shape in json.loads(source.read_bytes())]
    ran = cpo("tariffs", "import", saved(tmp_path / "t.json", rows), "--party", "NL/EVC")
    assert (ran.code, ran.out) == (
        0,
        f"imported {len(rows)} ({len(rows)} new, 0 changed), unchanged 0, refused 0\n",
    ), ran.err
    assert "elements from elements[0] on never apply" in ran.err
    assert {t["party_id"] for t in cpo("tariffs", "export").json()} == {"EVC"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not valid JSON"),
        ('"tariff"', "neither an OCPI object, a list of tariffs, nor an OCPI answer"),
    ],
)
def test_a_file_that_holds_no_tariffs_is_one_clear_line(
    cpo: Cpo, tmp_path: Path, content: str, complaint: str
) -> None:
    path = tmp_path / "t.json"
    path.write_text(content)
    ran = cpo("tariffs", "import", str(path))
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert complaint in ran.err


def test_the_default_tariff_prices_connectors_that_name_none(
    cpo: Cpo, db: Database, loop: Loop, tmp_path: Path
) -> None:
    cpo("tariffs", "import", saved(tmp_path / "t.json", tariff("HOUSE")))
    assert cpo("tariffs", "default").out == "none\n"
    assert cpo("tariffs", "default", "house").out == "HOUSE\n"
    assert "0, and all that name none" in cpo("tariffs", "list").out
    assert cpo("tariffs", "default", "nothing").err == "cpo: there is no tariff nothing\n"
    world = World(db, loop)
    charged(world)
    assert cpo("tariffs", "remove", "HOUSE").code == 1
    assert world.cdrs()[0]["total_cost"]["excl_vat"] == 4.0
    assert cpo("tariffs", "default", "--none").out == "none\n"
    charged(world, start=7200)
    assert world.cdrs()[1]["total_cost"]["excl_vat"] == 0.0


def test_a_tariff_that_connectors_name_is_not_removed_by_accident(cpo: Cpo, world: World) -> None:
    refused = cpo("tariffs", "remove", "T1")
    assert (refused.code, "named by connectors of 1 locations" in refused.err) == (1, True)
    assert cpo("tariffs", "remove", "T1", "--force").code == 0
    assert cpo("tariffs", "export").json() == []


# --- CDRs ---------------------------------------------------------------------------------------


def test_cdrs_are_listed_shown_and_exported_with_totals(cpo: Cpo, world: World) -> None:
    first, second = charged(world), charged(world, 5.0, 7200)
    listed = cpo("cdrs", "list", "--json").json()
    assert [row["id"] for row in listed["cdrs"]] == [second, first]
    assert listed["totals"] == [
        {
            "currency": "EUR",
            "number": 2,
            "credits": 0,
            "without_vat": 0,
            "total_energy": 15.0,
            "excl_vat": 7.0,
            "incl_vat": 8.4,
        }
    ]
    table = cpo("cdrs", "list")
    assert table.out.index(second) < table.out.index(first)
    newest = cpo("cdrs", "list", "--limit", "1")
    assert second in newest.out and first not in newest.out
    assert newest.err.startswith("the newest 1 of 2; --limit shows more\n2 CDRs, 15.0 kWh")
    assert table.err == "2 CDRs, 15.0 kWh, 7.0 EUR without VAT, 8.4 with\n"
    assert cpo("cdrs", "show", first.upper()).json() == world.cdrs()[0]
    assert cpo("cdrs", "export").json() == world.cdrs()
    rows = list(csv.DictReader(io.StringIO(cpo("cdrs", "export", "--format", "csv").out)))
    assert [(r["id"], r["total_energy"], r["total_cost_excl_vat"], r["evse_id"]) for r in rows] == [
        (first, "10.0", "4.5", "NL*EVC*ECP001"),
        (second, "5.0", "2.5", "NL*EVC*ECP001"),
    ]
    assert (
        cpo("cdrs", "list", "--json", "--from", "2025-05-05T17:00:00Z").json()["totals"][0][
            "number"
        ]
        == 1
    )
    assert cpo("cdrs", "export", "--to", "2025-05-05").json() == []


def test_show_explains_every_amount(cpo: Cpo, world: World) -> None:
    shown = cpo("cdrs", "show", charged(world), "--explain")
    assert shown.code == 0
    assert all(word in shown.out for word in ("FLAT", "ENERGY", "PARKING_TIME", "free of charge"))
    assert "differs" not in shown.err


def test_a_credit_takes_a_cdr_back_once_and_a_corrected_one_takes_its_place(
    cpo: Cpo, world: World
) -> None:
    original_id = charged(world)
    [original] = world.cdrs()
    done = cpo("cdrs", "credit", original_id, "--kwh", "8").json()
    credit, corrected = done["credit"], done["corrected"]
    assert credit == {
        **original,
        "id": f"{original_id}-C",
        "total_cost": {"excl_vat": -4.5, "incl_vat": -5.4},
        "credit": True,
        "credit_reference_id": original_id,
        "last_updated": credit["last_updated"],
    }
    assert corrected["id"] not in (original_id, credit["id"])
    assert "credit" not in corrected
    assert corrected["total_energy"] == 8.0
    assert corrected["total_cost"] == {"excl_vat": 3.7, "incl_vat": 4.44}
    assert world.cdrs() == [original, credit, corrected]

    # What was taken back is taken off: 10 - 10 + 8 kWh.
    assert cpo("cdrs", "list").err == ("3 CDRs, 8.0 kWh, 3.7 EUR without VAT, 4.44 with\n")

    again = cpo("cdrs", "credit", original_id, "--kwh", "7")
    assert (again.code, again.out, again.err) == (
        1,
        "",
        f"cpo: {original_id} is credited already\n",
    )
    of_credit = cpo("cdrs", "credit", credit["id"])
    assert of_credit.err == f"cpo: {credit['id']} is a credit CDR itself\n"
    assert world.cdrs() == [original, credit, corrected]
    totals = cpo("cdrs", "list", "--json").json()["totals"][0]
    assert (totals["total_energy"], totals["excl_vat"]) == (8.0, 3.7)
    assert cpo("cdrs", "credit", corrected["id"]).json()["corrected"] is None


def test_a_correction_by_file_is_priced_anew_and_stays_the_same_session(
    cpo: Cpo, world: World, tmp_path: Path
) -> None:
    original_id = charged(world)
    cheaper = tariff("T1", element("ENERGY", 0.1))
    fields = {"tariffs": [cheaper], "total_cost": {"excl_vat": 999.0}, "remark": "wrong tariff"}
    done = cpo("cdrs", "credit", original_id, "--corrected", saved(tmp_path / "c.json", fields))
    corrected = done.json()["corrected"]
    assert corrected["total_cost"] == {"excl_vat": 1.0, "incl_vat": 1.2}
    assert (corrected["remark"], corrected["session_id"]) == ("wrong tariff", original_id)
    assert "total_fixed_cost" not in corrected

    other = charged(world, start=7200)
    for bad, complaint in (
        ({"cdr_token": {"uid": "X"}}, "the corrected CDR has another cdr_token"),
        ({"tariffs": [{"id": "T1"}]}, "the corrected CDR cannot be priced"),
        ({"auth_method": "MAGIC"}, "auth_method: value is not one of"),
    ):
        ran = cpo("cdrs", "credit", other, "--corrected", saved(tmp_path / "c.json", bad))
        assert (ran.code, ran.out) == (1, "")
        assert complaint in ran.err
    assert len(world.cdrs()) == 4  # nothing of what was refused went in


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("show", "NOBODY"), "there is no CDR NOBODY"),
        (("credit", "NOBODY"), "there is no CDR NOBODY"),
        (("credit", "NOBODY", "--kwh", "many"), "--kwh many: is not a number"),
        (("credit", "NOBODY", "--kwh", "-1"), "--kwh -1: is not an energy"),
        (("list", "--from", "yesterday"), "--from yesterday"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    cpo: Cpo, arguments: tuple[str, ...], complaint: str
) -> None:
    ran = cpo("cdrs", *arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert complaint in ran.err


def test_an_exported_text_is_no_formula_for_a_spreadsheet(cpo: Cpo, world: World) -> None:
    session_id = world.open(authorization_reference="=HYPERLINK(1)")
    world.begin(session_id)
    world.end(session_id, 60, 100.0)
    [row] = csv.DictReader(io.StringIO(cpo("cdrs", "export", "--format", "csv").out))
    assert row["authorization_reference"] == "'=HYPERLINK(1)"


# --- price --------------------------------------------------------------------------------------


def test_price_gives_ocpis_totals_as_json_and_explains_them_on_request(cpo: Cpo) -> None:
    folder = PRICED / "t12_min_20kwh"
    files = ("--tariff", str(folder / "tariff.json"), "--cdr", str(folder / "cdr.json"))
    expected = json.loads((folder / "expect.json").read_bytes())["expected_total_cost"]
    plain = cpo("price", *files, "--time-zone", "Europe/Amsterdam")
    assert plain.code == 0
    assert plain.json()["total_cost"] == expected
    assert plain.json()["total_energy"] == 20.0
    explained = cpo("price", *files, "--explain").out
    assert explained.startswith(plain.out)
    assert "ENERGY" in explained.removeprefix(plain.out)


def test_price_says_in_one_line_what_is_wrong_with_its_input(cpo: Cpo, tmp_path: Path) -> None:
    good = str(PRICED / "t1_150min" / "cdr.json")
    priced = str(PRICED / "t1_150min" / "tariff.json")
    no_elements = saved(tmp_path / "t.json", {"id": "T"})
    for arguments in (
        ("--tariff", str(tmp_path / "none.json"), "--cdr", good),
        ("--tariff", no_elements, "--cdr", good),
        ("--tariff", priced, "--cdr", saved(tmp_path / "c.json", [])),
        ("--tariff", priced, "--cdr", good, "--time-zone", "Mars/Olympus"),
    ):
        ran = cpo("price", *arguments)
        assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1), ran
        assert ran.err.startswith("cpo: ")


def test_the_keys_of_meters_are_put_down_and_forgotten(
    cpo: Cpo, db: Database, loop: Loop, tmp_path: Path
) -> None:
    loop.run(
        registrations.register(
            DbInterface(db),
            Application("CP-9", "Berlin", {}),
            proof=Proof(),
            open_to_new=True,
            credentials_hash="0" * 64,
            party=settings_of().parties[0],
        )
    )
    assert cpo("charge-points", "meter-key", "cp-9").json() == []
    file = tmp_path / "meter.pub"
    file.write_text(public_text("secp384r1"))
    assert cpo("charge-points", "meter-key", "CP-9", "--set", public_text()).code == 0
    kept = cpo("charge-points", "meter-key", "CP-9", "--connector", "2", "--set", str(file)).json()
    assert [(k["cp_id"], k["connector_id"]) for k in kept] == [("CP-9", "2")]
    both = cpo("charge-points", "meter-key", "CP-9").json()
    assert [(k["connector_id"], k["public_key"]) for k in both] == [
        (None, public_text()),
        ("2", public_text("secp384r1")),
    ]
    assert cpo("charge-points", "meter-key", "CP-9", "--remove").code == 0
    again = cpo("charge-points", "meter-key", "CP-9", "--remove")
    assert (again.code, again.err) == (1, "cpo: CP-9: no key is kept for this meter\n")
    assert len(cpo("charge-points", "meter-key", "CP-9").json()) == 1
    wrong = cpo("charge-points", "meter-key", "CP-9", "--set", "scribble")
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    unknown = cpo("charge-points", "meter-key", "CP-X")
    assert (unknown.code, unknown.err) == (1, "cpo: CP-X: no such charge point\n")


def test_the_drivers_file_of_signed_values(cpo: Cpo, world: World, tmp_path: Path) -> None:
    unsigned = charged(world)
    refused = cpo("cdrs", "transparency", unsigned)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"cpo: CDR {unsigned} holds no signed data: its meter does not sign\n"
    session_id = world.open(7200)
    world.begin(session_id, 7200)
    world.end(session_id, 10800, 11250, signed_data={**data(signed()), "public_key": public_text()})
    shown = cpo("cdrs", "transparency", session_id)
    assert shown.code == 0 and signed().split("|")[1] in shown.out
    out = tmp_path / "driver.xml"
    assert cpo("cdrs", "transparency", session_id, "--out", str(out)).out == ""
    assert out.read_text() == shown.out


# --- Statements ---------------------------------------------------------------------------------


def test_a_statement_is_a_peers_month_in_csv_and_json(cpo: Cpo, world: World) -> None:
    original_id = charged(world)
    cpo("cdrs", "credit", original_id, "--kwh", "8")
    peer = {"_id": "peer-1", "name": "M", "status": "CONNECTED", "parties": ["de*msp"]}
    world.loop.run(PEERS.of(world.db).insert_one(peer))  # type: ignore[arg-type]
    issued = world.cdrs()[0]["last_updated"][:7]
    ask = ("statements", "--peer", "peer-1", "--month")
    [row] = cpo(*ask, issued, "--format", "json").json()
    assert (row["from_party"], row["to_party"], row["currency"]) == ("NL*EVC", "DE*MSP", "EUR")
    assert row["time_zone"] == "UTC"
    made = cpo("cdrs", "list", "--json", "--from", f"{issued}-01").json()["totals"][0]
    of_month = [cdr for cdr in world.cdrs() if cdr["last_updated"].startswith(issued)]
    assert row["number"] == len(of_month)
    if len(of_month) == 3:  # else the month ended between two commands
        assert (row["number"], row["credits"]) == (made["number"], made["credits"]) == (3, 1)
        assert row["total_incl_vat"] == made["incl_vat"]
    [line] = csv.DictReader(io.StringIO(cpo(*ask, issued).out))
    assert {name: str(value) for name, value in row.items()} == line
    nothing = cpo(*ask, "1999-01")
    assert len(nothing.out.splitlines()) == 1
    assert nothing.err == "no CDR was issued to peer-1 in 1999-01\n"
    wrong = cpo(*ask, "2026-13")
    assert (wrong.code, wrong.err) == (1, "cpo: '2026-13' is not a month of the form 2026-11\n")
    assert cpo("statements", "--peer", "nobody", "--month", issued).code == 1


def test_a_formula_in_a_csv_is_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv(("a", "b"), [{"a": "=1+1", "b": -2.5}, {"a": "\rx", "b": "+1"}])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert rows == [{"a": "'=1+1", "b": "-2.5"}, {"a": "' x", "b": "'+1"}]


# --- Reconciliation -----------------------------------------------------------------------------


def test_registers_are_reconciled_by_hand(cpo: Cpo, world: World) -> None:
    session_id = charged(world)
    ask = ("reconcile", "registers", "--from", "2025-01-01", "--to", "2025-12-31")
    assert cpo(*ask).err == (
        "1 sessions, 0 of them without a register's reading; 0 do not add up\n"
    )
    cpo("cdrs", "credit", session_id, "--kwh", "8")
    report = cpo(*ask, "--json").json()
    assert (report["sessions"], report["without_reading"]) == (1, 0)
    [found] = report["findings"]
    assert (found["kind"], found["session_id"]) == ("billed_less", session_id)
    assert found["energy_wh"] == 2000.0
    assert session_id in cpo(*ask).out
    wrong = cpo(*ask, "--charge-point", "NOBODY")
    assert (wrong.code, wrong.err) == (1, "cpo: NOBODY: no such charge point\n")
    assert cpo("reconcile", "registers", "--from", "2025-02-01", "--to", "2025-01-01").code == 1

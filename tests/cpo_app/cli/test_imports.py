"""`cpo locations`: only what is ours goes in, said before it is done, and undone after."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from db_interface.database import Database
from domain.imports.file_import import BATCH
from tests import forks
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.domain.imports.test_changes import LATEST, connector, evse, location


async def insert(db: Database, collection: str, document: dict[str, Any]) -> None:
    await db[collection].insert_one(document)


async def number_of_marks(db: Database) -> int:
    return await db["marks"].count_documents({})


def file_of(folder: Path, *rows: Any) -> str:
    file = folder / "locations.json.gz"
    file.write_bytes(gzip.compress(json.dumps(rows).encode()))
    return str(file)


def stored(cpo: Cpo) -> dict[str, Any]:
    return {row["id"]: row for row in json.loads(cpo("locations", "export").out)}


def test_the_second_time_nothing_changes(cpo: Cpo, tmp_path: Path) -> None:
    file = file_of(tmp_path, location(), location(id="L2", party_id="CPO", country_code="DE"))
    assert cpo("locations", "import", file).out == (
        "imported 2 (2 new, 0 changed), unchanged 0, refused 0\n"
    )
    again = file_of(
        tmp_path, location(name="New"), location(id="L2", party_id="CPO", country_code="DE")
    )
    assert cpo("locations", "import", again).out == (
        "imported 1 (0 new, 1 changed), unchanged 1, refused 0\n"
    )


def test_a_party_that_is_not_ours_is_refused_and_named(cpo: Cpo, tmp_path: Path) -> None:
    file = file_of(
        tmp_path,
        location(),
        *(location(id=f"F{number}", party_id="NUO") for number in range(3)),
        location(id="G", country_code="FR"),
    )

    ran = cpo("locations", "import", file)

    assert (ran.code, ran.out) == (
        1,
        "imported 1 (1 new, 0 changed), unchanged 0, refused 4\n",
    )
    assert ran.err == (
        "refused 4 of parties that this platform does not host: NL/NUO 3, FR/EVC 1 "
        "(--party makes them one of ours, --force takes them as they are)\n"
    )
    assert set(stored(cpo)) == {"L1"}


def test_force_takes_them_and_says_so_loudly(cpo: Cpo, tmp_path: Path) -> None:
    ran = cpo("locations", "import", file_of(tmp_path, location(party_id="NUO")), "--force")
    assert ran.code == 0
    assert ran.err.startswith(
        "WARNING: 1 objects are of parties that this platform does not host (NL/NUO 1)"
    )
    assert stored(cpo)["L1"]["party_id"] == "NUO"


def test_only_a_party_of_ours_can_take_them_over(cpo: Cpo, tmp_path: Path) -> None:
    file = file_of(tmp_path, location(party_id="NUO"))
    refused = cpo("locations", "import", file, "--party", "XX/YYY")
    assert refused.code == 1
    assert refused.err == (
        "cpo: --party XX/YYY: is not a party of this platform, which hosts NL/EVC, DE/CPO "
        "(CPO_PARTIES); --force takes it nonetheless\n"
    )
    assert stored(cpo) == {}
    assert cpo("locations", "import", file, "--party", "DE/CPO").code == 0
    assert stored(cpo)["L1"]["party_id"] == "CPO"


def test_a_dry_run_says_the_same_and_writes_nothing(
    cpo: Cpo, tmp_path: Path, db: Database, loop: Loop
) -> None:
    cpo("locations", "import", file_of(tmp_path, location(), location(id="L2")))
    before = stored(cpo)
    file = file_of(
        tmp_path,
        location(name="a\tb"),
        location(id="L2"),
        location(id="L3", evses=[evse(last_updated=LATEST, evse_id="NL.EVC.E1")]),
        location(id="L4", country="Mars"),
        location(id="L5", party_id="NUO"),
    )

    dry = cpo("locations", "import", file, "--dry-run")

    summary = "imported 2 (1 new, 1 changed), unchanged 1, refused 2"
    assert dry.out == f"would have {summary}; nothing was written\n"
    assert stored(cpo) == before
    assert loop.run(number_of_marks(db)) == 0
    wet = cpo("locations", "import", file)
    assert wet.out == f"{summary}\n"
    assert dry.err == wet.err
    for text in (
        "refused L4: country: ",
        "warning L3: 1 evse_id is not in eMI3 form",
        "changed 1 times: control characters replaced: name",
        "changed 1 times: last_updated lifted to that of its newest part: last_updated",
    ):
        assert text in wet.err


def test_verbose_says_each(cpo: Cpo, tmp_path: Path) -> None:
    rows = [location(id=f"L{number}", name="a\nb") for number in range(60)]
    rows += [location(id=f"F{number}", party_id="NUO") for number in range(60)]
    file = file_of(tmp_path, *rows)
    quiet, verbose = (
        cpo("locations", "import", file, "--dry-run", *more) for more in ((), ("--verbose",))
    )
    assert "changed 60 times: control characters replaced: name" in quiet.err
    assert len(quiet.err.splitlines()) == 2
    assert "changed L7: control characters replaced: name" in verbose.err
    assert "refused F59: NL/NUO is not a party of this platform" in verbose.err


def test_a_file_that_breaks_off_changes_nothing(cpo: Cpo, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text(json.dumps([location(id=f"L{n}") for n in range(300)])[:-40])
    ran = cpo("locations", "import", str(file))
    assert ran.code == 1
    assert ran.err.startswith(f"cpo: {file}: not valid JSON")
    assert stored(cpo) == {}


def test_a_removed_location_says_so_to_who_pulls(cpo: Cpo, tmp_path: Path) -> None:
    two = [evse(), evse(uid="E2", connectors=[connector()])]
    cpo("locations", "import", file_of(tmp_path, location(evses=two), location(id="L2")))

    ran = cpo("locations", "remove", "l1")

    assert ran.out == "removed 1, hidden 0, unchanged 0, kept 0\n"
    gone = stored(cpo)["L1"]
    assert [part["status"] for part in gone["evses"]] == ["REMOVED", "REMOVED"]
    assert gone["last_updated"] == gone["evses"][0]["last_updated"] > LATEST
    assert stored(cpo)["L2"]["evses"][0]["status"] == "AVAILABLE"
    assert cpo("locations", "remove", "L1").out == "removed 0, hidden 0, unchanged 1, kept 0\n"
    listed = {row["id"]: row for row in cpo("locations", "list", "--json").json()}
    assert listed["L1"]["status"] == ["REMOVED"]
    assert listed["L1"]["seen_by"] == "everybody"


def test_all_of_a_party_are_hidden_in_one_go(cpo: Cpo, tmp_path: Path) -> None:
    rows = [location(id=f"F{number}", party_id="NUO") for number in range(3)]
    cpo("locations", "import", file_of(tmp_path, location(), *rows), "--force")

    ran = cpo("locations", "remove", "--all", "--party", "NL/NUO", "--hide")

    assert ran.out == "removed 0, hidden 3, unchanged 0, kept 0\n"
    listed = {row["id"]: row["seen_by"] for row in cpo("locations", "list", "--json").json()}
    assert listed == {"L1": "everybody", "F0": "nobody", "F1": "nobody", "F2": "nobody"}
    assert "unchanged 3" in cpo("locations", "remove", "--all", "--party", "NL/NUO").out


def test_a_location_without_evses_can_only_be_hidden(cpo: Cpo, tmp_path: Path) -> None:
    bare = location()
    del bare["evses"]
    cpo("locations", "import", file_of(tmp_path, bare))
    assert cpo("locations", "remove", "L1").out == "removed 0, hidden 1, unchanged 0, kept 0\n"


def test_what_registered_charge_points_make_up_is_neither_removed_nor_written_over(
    cpo: Cpo, tmp_path: Path, db: Database, loop: Loop
) -> None:
    cpo("locations", "import", file_of(tmp_path, location(), location(id="L2")))
    loop.run(insert(db, "sites", {"_id": "l1", "rev": 1, "published": True}))
    before = stored(cpo)

    removed = cpo("locations", "remove", "L1", "L2")
    imported = cpo("locations", "import", file_of(tmp_path, location(name="Mine now")))

    assert (removed.code, removed.out) == (1, "removed 1, hidden 0, unchanged 0, kept 1\n")
    assert removed.err == (
        "kept: L1 is the location of registered charge points: deregister them\n"
    )
    assert imported.code == 1
    assert "refused L1: is the location of registered charge points" in imported.err
    assert stored(cpo)["L1"] == before["L1"]


def test_a_location_is_shown_as_peers_get_it(cpo: Cpo, tmp_path: Path) -> None:
    cpo(
        "locations",
        "import",
        file_of(tmp_path, location(), location(party_id="CPO", country_code="DE")),
    )
    shown = cpo("locations", "show", "l1", "--party", "nl/evc").json()
    # Peers that pull by date have to learn of it: it is as new as its import.
    assert shown["last_updated"] > location()["last_updated"]
    assert shown == location(last_updated=shown["last_updated"])
    several = cpo("locations", "show", "L1")
    assert several.err == "cpo: several parties have a location L1: name one with --party\n"
    assert cpo("locations", "show", "X").err == "cpo: there is no location X\n"


@pytest.mark.parametrize("arguments", [(), ("L1", "--all"), ("--all",)])
def test_remove_wants_to_know_what(cpo: Cpo, arguments: tuple[str, ...]) -> None:
    ran = cpo("locations", "remove", *arguments)
    assert ran.err == "cpo: name locations, or --all with --party CC/PID\n"


def test_the_parties_are_the_servers_where_the_command_names_none(
    cpo: Cpo, tmp_path: Path, db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CPO_PARTIES")
    monkeypatch.delenv("COUNTRY_CODE", raising=False)
    monkeypatch.delenv("PARTY_ID", raising=False)
    file = file_of(tmp_path, location())
    assert cpo("locations", "import", file, "--dry-run").code == 1
    face = {"_id": "face", "CPO_PARTIES": "NL/EVC=Ours"}
    loop.run(insert(db, "platform", face))
    assert cpo("locations", "import", file, "--dry-run").code == 0


@pytest.mark.processes
def test_killed_in_its_middle_it_leaves_whole_batches_and_goes_on_from_there(
    cpo: Cpo, tmp_path: Path
) -> None:
    ids = [f"L{number}" for number in range(5 * BATCH + 7)]
    file = file_of(tmp_path, *(location(id=one) for one in ids))
    killed = forks.ran(
        *("cpo_app.cli", "locations", "import", file),
        cwd=tmp_path,
        env={**os.environ, "CPO_CRASH_AT": "marks-written:4"},
        timeout_s=60,
    )
    assert killed.returncode == 137

    there = list(stored(cpo))
    begun = {ids.index(one) // BATCH for one in there}
    assert len(there) == len(begun) * BATCH
    assert 1 <= len(begun) <= 3

    rest = len(ids) - len(there)
    assert cpo("locations", "import", file).out == (
        f"imported {rest} ({rest} new, 0 changed), unchanged {len(there)}, refused 0\n"
    )
    assert set(stored(cpo)) == set(ids)
    whole = [row["about"] for row in cpo("audit", "--json").json() if "import" in row["action"]]
    assert len(whole) == 6

"""`cpo convert` as a person or a script runs it."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cpo_app.cli.conftest import Cpo
from tests.domain.schemas import samples

LATER = {
    **samples.location(postal_code="9000", parking_type="ON_STREET"),
    "help_phone": "+32 9 1",
}
TO_2_1_1 = ("--from", "2.2.1", "--to", "2.1.1")


def saved(tmp_path: Path, data: Any, name: str = "given.json") -> str:
    path = tmp_path / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return str(path)


def a_session() -> dict[str, Any]:
    session = {
        **{key: value for key, value in samples.cdr().items() if key not in ("cdr_location",)},
        "kwh": 1,
        "location_id": "LOC1",
        "evse_uid": "Evse-1",
        "connector_id": "1",
        "status": "ACTIVE",
    }
    for name in ("end_date_time", "total_energy", "total_time"):
        del session[name]
    return session


def test_the_object_goes_to_stdout_and_its_losses_to_stderr(cpo: Cpo, tmp_path: Path) -> None:
    ran = cpo("convert", "--from", "2.3.0", "--to", "2.2.1", saved(tmp_path, LATER))
    assert ran.code == 0
    assert ran.json() == {key: value for key, value in LATER.items() if key != "help_phone"}
    assert ran.err == "help_phone: OCPI 2.2.1 has no such field\n"


def test_with_json_both_are_one_object(cpo: Cpo, tmp_path: Path) -> None:
    ran = cpo("convert", "--from", "2.3.0", "--to", "2.2.1", "--json", saved(tmp_path, LATER))
    assert ran.err == ""
    assert ran.json()["losses"] == [
        {"path": "help_phone", "reason": "OCPI 2.2.1 has no such field"}
    ]


def test_the_standard_input_is_read(cpo: Cpo, monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(json.dumps(samples.token()).encode()))
    monkeypatch.setattr(sys, "stdin", given)
    ran = cpo("convert", *TO_2_1_1, "-")
    assert (ran.code, ran.json()["auth_id"]) == (0, samples.token()["contract_id"])


def test_the_examples_of_the_docs_run(cpo: Cpo, tmp_path: Path) -> None:
    place = samples.location(evses=[samples.evse()])
    saved(tmp_path, place, "location.json")
    saved(tmp_path, a_session(), "session.json")
    saved(tmp_path, samples.cdr(), "cdr.json")
    saved(tmp_path, cpo("convert", *TO_2_1_1, saved(tmp_path, samples.token())).out, "token.json")
    page = (Path(__file__).parents[3] / "docs" / "ocpi-versions.md").read_text()
    commands = re.findall(r"^    cpo (convert [^#\n]+)", page, re.MULTILINE)
    assert len(commands) == 4
    assert [cpo(*command.split()).code for command in commands] == [0] * 4


def test_a_session_takes_its_location_from_another_file(cpo: Cpo, tmp_path: Path) -> None:
    file = saved(tmp_path, a_session())
    without = cpo("convert", *TO_2_1_1, file)
    assert (without.code, without.out) == (1, "")
    assert "cannot be said in OCPI 2.1.1: location_id" in without.err
    where = saved(tmp_path, samples.location(evses=[samples.evse()]), "where.json")
    ran = cpo("convert", *TO_2_1_1, "--location", where, file)
    assert ran.json()["location"]["evses"][0]["uid"] == "Evse-1"


def test_a_token_of_2_1_1_needs_its_party(cpo: Cpo, tmp_path: Path) -> None:
    theirs = saved(tmp_path, cpo("convert", *TO_2_1_1, saved(tmp_path, samples.token())).out)
    back = ("convert", "--from", "2.1.1", "--to", "2.2.1", theirs)
    assert cpo(*back).code == 2
    assert cpo(*back, "--party", "DE/TNM").json() == samples.token()


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("{", TO_2_1_1, "not valid JSON"),
        ("[]", TO_2_1_1, "not a JSON object"),
        ({"a": 1}, TO_2_1_1, "no object of OCPI 2.2.1 that 2.1.1 has: say --object"),
        ({"result": "ACCEPTED"}, ("--from", "2.2.1", "--to", "2.3.0"), "may be command_result or"),
        (samples.token(), ("--from", "2.0", "--to", "2.1.1"), "--from 2.0: is not one of 2.1.1, "),
        (samples.token(), (*TO_2_1_1, "--object", "tokens"), "--object tokens: is not one of "),
        (samples.token(), (*TO_2_1_1, "--party", "x"), "--party x: is not of the form CC/PID"),
        (samples.without(samples.token(), "uid"), TO_2_1_1, "uid: required field missing"),
        (samples.token(), (*TO_2_1_1, "--location", "none.json"), "none.json: No such file"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    content: Any, options: tuple[str, ...], said: str, cpo: Cpo, tmp_path: Path
) -> None:
    ran = cpo("convert", *options, saved(tmp_path, content))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("cpo: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1

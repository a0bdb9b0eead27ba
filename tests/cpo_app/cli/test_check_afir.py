"""`cpo check --afir` and its door in the API say the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cpo_app.cli.app import app
from tests.cpo_app.api.conftest import Api, api
from tests.domain.open_data.test_afir import WHOLE, WHOLE_EVSE
from tests.domain.open_data.test_kept_document import World, world
from tests.domain.schemas.samples import evse

__all__ = ["api", "world"]


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


@pytest.fixture(autouse=True)
def _here(store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "CPO_MONGO_URL": store_url,
        "CPO_DATA_DIR": str(tmp_path),
        "CPO_ENCRYPTION_KEY": "k" * 32,
        "REGISTRY_SECRET_KEY": "r" * 64,
        "COUNTRY_CODE": "NL",
        "PARTY_ID": "EVC",
    }.items():
        monkeypatch.setenv(name, value)


def test_what_is_missing_is_listed_with_what_mends_it(world: World, api: Api) -> None:
    world.publish_tariff("AdHoc", type="AD_HOC_PAYMENT")
    world.publish_location("WHOLE", **WHOLE, evses=[evse(**WHOLE_EVSE)])
    whole = check("--afir")
    assert (whole.exit_code, "AFIR: 1 of 1 complete" in whole.output) == (0, True)

    world.publish_location("POOR", **{**WHOLE, "owner": None}, evses=[evse(**WHOLE_EVSE)])
    found = check("--afir", "--json")
    assert found.exit_code == 1
    report = json.loads(found.stdout)
    assert (report["of"], report["complete"], report["lacking"]) == (2, 1, {"owner": 1})
    assert report["items"] == [
        {"location": "POOR", "evse_uid": "Evse-1", "missing": ["owner"], "mend": ["owner"]}
    ]
    assert "1 without owner" in check("--afir").output
    assert api.get("/v1/open-data/completeness").json() == report
    assert api.get("/v1/open-data/completeness?limit=0").json()["items"] == []


def test_it_is_asked_of_oneself_alone() -> None:
    assert "name no URL" in str(check("https://cpo.example", "--afir").exception)
    assert "or --afir" in str(check().exception)

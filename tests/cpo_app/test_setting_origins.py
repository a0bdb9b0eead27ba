"""Where a setting comes from: command line, environment, file, made at the start, or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpo_app.console.settings_shown import settings_shown
from cpo_app.settings import Settings
from cpo_app.settings.origins import handed_on


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("COUNTRY_CODE=NL\nPARTY_ID=EVC\nCPO_ENCRYPTION_KEY=" + "k" * 40)
    monkeypatch.setenv("PARTY_ID", "TWO")
    return Settings(CENTRAL_PORT=8123)


def test_each_says_where_it_comes_from(settings: Settings) -> None:
    made = settings.copy(update={"REGISTRY_SECRET_KEY": "r" * 40})
    names = ("CENTRAL_PORT", "PARTY_ID", "COUNTRY_CODE", "CPO_PAGE_LIMIT", "REGISTRY_SECRET_KEY")
    assert [made.origin(name) for name in names] == [
        "command line",
        "environment",
        "file .env",
        "default",
        "made at the start",
    ]


def test_a_server_that_another_command_started_knows_what_that_one_knew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {name: settings.origin(name) for name in ("CENTRAL_PORT", "COUNTRY_CODE")}
    child = handed_on(known, known, CPO_APPROVE_PEERS="cpo up")
    for name, value in {**child, "CENTRAL_PORT": "8123", "CPO_APPROVE_PEERS": "true"}.items():
        monkeypatch.setenv(name, value)
    started = Settings()
    assert started.origin("CENTRAL_PORT") == "command line"
    assert started.origin("CPO_APPROVE_PEERS") == "cpo up"
    assert started.origin("PARTY_ID") == "environment"
    assert started.origin("COUNTRY_CODE") == "file .env"
    # And so do its workers.
    further = handed_on({"CENTRAL_PORT": started.origin("CENTRAL_PORT")}, ["CENTRAL_PORT"])
    monkeypatch.setenv(*further.popitem())
    assert Settings().origin("CENTRAL_PORT") == "command line"
    assert Settings().origin("CPO_APPROVE_PEERS") == "cpo up"


def test_they_are_found_by_what_they_are_for_and_secrets_stay_so(settings: Settings) -> None:
    everything = settings_shown(settings, "", given=False)
    rows = [row for _, group in everything for row in group]
    assert {row.name for row in rows} == settings.__fields__.keys()
    assert "k" * 40 not in str(everything)
    given = {row.name for _, group in settings_shown(settings, "", given=True) for row in group}
    assert {"CENTRAL_PORT", "PARTY_ID", "COUNTRY_CODE", "CPO_ENCRYPTION_KEY"} <= given
    assert "CPO_PAGE_LIMIT" not in given
    (found,) = [
        row for _, group in settings_shown(settings, "x-limit", given=False) for row in group
    ]
    assert (found.name, found.what) == ("CPO_PAGE_LIMIT_MAX", "the cap, shown in X-Limit")

"""`cpo operators` and `cpo keys`: people and keys, and no secret in a command line."""

from __future__ import annotations

import io

import pytest

from db_interface.database import Database
from domain.operators import api_keys
from domain.operators.operators import OPERATORS
from domain.operators.passwords import Passwords
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo

WORD = "correct horse battery"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WORD}\nnot this\n"))


@pytest.mark.usefixtures("typed")
def test_a_person_is_added_with_a_password_of_standard_input(
    cpo: Cpo, db: Database, loop: Loop
) -> None:
    done = cpo("operators", "add", "ines", "--role", "admin", "--password", "-")
    assert (done.code, done.out, done.err) == (0, "", "ines is admin\n")
    (row,) = cpo("operators", "list", "--json").json()
    assert (row["name"], row["role"], row["disabled"], row["totp"]) == (
        "ines",
        "admin",
        False,
        False,
    )
    kept = loop.run(OPERATORS.of(db).find_one({"_id": "ines"}))
    assert kept is not None and WORD not in str(kept)
    assert loop.run(Passwords().is_right(kept["password"], WORD))


def test_what_is_done_to_people_and_keys_is_written_down(cpo: Cpo) -> None:
    made = [cpo("operators", "add", name, "--role", "admin", "--generate") for name in ("jo", "al")]
    cpo("operators", "role", "jo", "viewer")
    cpo("operators", "totp", "jo", "on")
    cpo("operators", "remove", "jo")
    key = cpo("keys", "add", "ci", "--role", "viewer").out.strip()
    cpo("keys", "remove", "ci")
    log = cpo("audit", "--json").out
    for action in ("operators.add", "operators.role", "operators.totp", "operators.remove"):
        assert f'"{action}"' in log, action
    assert '"keys.add"' in log and '"keys.remove"' in log
    for secret in (key, *(one.out.strip() for one in made)):
        assert secret not in log


def test_no_password_is_taken_out_of_the_command_line(cpo: Cpo) -> None:
    done = cpo("operators", "add", "ines", "--role", "admin", "--password", WORD)
    assert done.code == 1
    assert done.err.startswith("cpo: --password takes only -")
    assert cpo("operators", "list", "--json").json() == []


def test_a_generated_password_is_printed_once(cpo: Cpo, db: Database, loop: Loop) -> None:
    made = cpo("operators", "add", "ines", "--role", "viewer", "--generate").out.strip()
    renewed = cpo("operators", "password", "ines", "--generate").out.strip()
    assert made != renewed and len(made) >= 20
    kept = loop.run(OPERATORS.of(db).find_one({"_id": "ines"}))
    assert kept is not None
    assert loop.run(Passwords().is_right(kept["password"], renewed))
    assert not loop.run(Passwords().is_right(kept["password"], made))


def test_the_last_admin_cannot_be_removed(cpo: Cpo) -> None:
    cpo("operators", "add", "ines", "--role", "admin", "--generate")
    for command in (("remove", "ines"), ("role", "ines", "viewer"), ("disable", "ines")):
        done = cpo("operators", *command)
        assert (done.code, done.err) == (
            1,
            "cpo: ines is the last admin: make another one first\n",
        )
    cpo("operators", "add", "jo", "--role", "viewer", "--generate")
    assert cpo("operators", "role", "jo", "admin").code == 0
    assert cpo("operators", "remove", "ines").code == 0
    assert [row["name"] for row in cpo("operators", "list", "--json").json()] == ["jo"]
    assert cpo("operators", "remove", "ines").err == "cpo: there is no operator ines\n"


@pytest.mark.parametrize("word", ["short", "aaaaaaaaaaaaaaa", "inesinesines"])
def test_a_password_that_is_easy_to_guess_is_refused(
    cpo: Cpo, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{word}\n"))
    done = cpo("operators", "add", "ines", "--role", "admin", "--password", "-")
    assert done.code == 1 and word not in done.err
    assert cpo("operators", "list", "--json").json() == []


def test_a_second_factor_is_switched_on_and_off(cpo: Cpo) -> None:
    cpo("operators", "add", "ines", "--role", "viewer", "--generate")
    made = cpo("operators", "totp", "ines", "on")
    assert made.code == 0 and made.out.startswith("otpauth://totp/")
    assert cpo("operators", "list", "--json").json()[0]["totp"] is True
    assert cpo("operators", "totp", "ines", "off").out == ""
    assert cpo("operators", "list", "--json").json()[0]["totp"] is False
    assert cpo("operators", "totp", "nemo", "on").err == "cpo: there is no operator nemo\n"


def test_a_key_is_shown_once_listed_by_its_prefix_and_removed(
    cpo: Cpo, db: Database, loop: Loop
) -> None:
    made = cpo("keys", "add", "ci", "--role", "operator", "--expires", "90d", "--scope", "api")
    key = made.out.strip()
    assert loop.run(api_keys.of(db, key)) is not None
    (row,) = cpo("keys", "list", "--json").json()
    assert (row["name"], row["prefix"], row["scopes"]) == ("ci", key[:13], ["api"])
    assert key not in cpo("keys", "list", "--json").out
    assert cpo("keys", "remove", row["prefix"]).code == 0
    assert loop.run(api_keys.of(db, key)) is None


def test_keys_rotate(cpo: Cpo, monkeypatch: pytest.MonkeyPatch) -> None:
    cpo("operators", "add", "ines", "--role", "viewer", "--generate")
    cpo("operators", "totp", "ines", "on")
    # The old key is the fixture's CPO_ENCRYPTION_KEY; the new one stands before it.
    monkeypatch.setenv("CPO_ENCRYPTION_KEYS", "n" * 40)
    done = cpo("secrets", "rotate", "--json").json()
    assert (done["renewed"], done["older_keys_may_go"]) == (1, True)
    assert "n" * 40 not in str(done)
    assert "The older keys may go" in cpo("secrets", "rotate").err
    monkeypatch.delenv("CPO_ENCRYPTION_KEY")
    assert "There is one key" in cpo("secrets", "rotate").err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--expires", "soon"), "expires: soon is no number"),
        (("--scope", "everything"), "there is no scope everything"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(cpo: Cpo, options: tuple[str, ...], why: str) -> None:
    done = cpo("keys", "add", "ci", "--role", "viewer", *options)
    assert done.code == 1 and why in done.err

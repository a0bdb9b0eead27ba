"""The whitelist rules are the table of docs/authorization.md, cell by cell."""

from __future__ import annotations

from itertools import product

from domain.authorization.whitelist import RULES, Allowed, rule_of
from tests.domain.authorization.authorization_table import ROWS


def test_the_documentation_has_each_token_once_for_each_setting() -> None:
    played = [(row.whitelist, row.valid, setting) for row in ROWS for setting in row.settings]
    wanted = product(
        ("ALWAYS", "ALLOWED", "ALLOWED_OFFLINE", "NEVER"), (True, False), (True, False)
    )
    assert sorted(played) == sorted(wanted)
    assert set(RULES) == {(row.whitelist, row.valid) for row in ROWS}


def test_the_documentation_says_when_the_emsp_is_asked() -> None:
    for row in ROWS:
        for setting in row.settings:
            assert rule_of(row.whitelist, row.valid).asks(setting) is row.asked


def test_an_invalid_token_charges_nowhere_on_its_own() -> None:
    for (whitelist, valid), rule in RULES.items():
        if not valid:
            assert rule.unasked is not Allowed.ALLOWED, whitelist

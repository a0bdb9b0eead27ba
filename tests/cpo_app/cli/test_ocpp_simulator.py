"""`cpo charge-points --ocpp`: what does not fit together is said in a line."""

from __future__ import annotations

from tests.cpo_app.cli.conftest import Cpo


def test_what_does_not_fit_together_is_said(cpo: Cpo) -> None:
    ran = cpo("charge-points", "--ocpp", "1.6", "--url", "ws://127.0.0.1:9")
    assert (ran.code, ran.err) == (
        1,
        "cpo: --url needs --password: what that CPO gave these charge points\n",
    )
    ran = cpo("charge-points", "--ocpp", "1.6", "list")
    assert ran.code == 1
    assert "not both" in ran.err

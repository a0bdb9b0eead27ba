"""Who is told of trouble: read from the settings, or refused in a line without any secret."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cpo_app.notice_settings import parse_smtp_url, parse_webhooks, target_ids
from cpo_app.settings import settings_refused
from tests.settings_of import settings_of

SECRET = "s" * 24
HOOK = "https://ops.example.com/in/hidden"


def test_webhooks_in_either_form() -> None:
    (plain,) = parse_webhooks(f"{HOOK} {SECRET}")
    (listed,) = parse_webhooks(f'[{{"url": "{HOOK}", "secret": "{SECRET}"}}]')
    assert plain == listed and (plain.url, plain.secret) == (HOOK, SECRET)
    assert plain.id.startswith("webhook ops.example.com ")
    assert "hidden" not in plain.id + repr(plain) and SECRET not in repr(plain)
    two = parse_webhooks(f"{HOOK}/a {SECRET}, {HOOK}/b {SECRET}")
    assert len({one.id for one in two}) == 2


def test_mail_servers() -> None:
    found = parse_smtp_url("smtps://me:p%40ss@mail.example.com")
    assert found is not None and "p@ss" not in repr(found)
    assert (found.host, found.port, found.tls) == ("mail.example.com", 465, True)
    assert (found.user, found.password) == ("me", "p@ss")
    plain = parse_smtp_url("smtp://mail.example.com")
    assert plain is not None and (plain.port, plain.tls, plain.user) == (587, False, None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"CPO_WEBHOOKS": HOOK}, "CPO_WEBHOOKS: each webhook is a URL and a secret"),
        ({"CPO_WEBHOOKS": f"{HOOK} short"}, "webhook 1: its secret has fewer than 24"),
        ({"CPO_WEBHOOKS": f"ftp://hidden/ {SECRET}"}, "webhook 1: its URL is not https://"),
        ({"CPO_WEBHOOKS": "[1]"}, "CPO_WEBHOOKS: each webhook is"),
        ({"CPO_WEBHOOKS": "[{"}, "CPO_WEBHOOKS: not a JSON list"),
        ({"CPO_SMTP_URL": "http://hidden"}, "CPO_SMTP_URL: is not smtp://"),
        ({"CPO_SMTP_URL": "smtp://mail.example.com"}, "are set together"),
        ({"CPO_MAIL_TO": "ops@example.com"}, "are set together"),
        ({"CPO_MAIL_FROM": "nobody"}, "CPO_MAIL_FROM: 'nobody' is not a mail address"),
    ],
)
def test_what_cannot_be_used_is_said(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings_of(**given)
    line = settings_refused(refused.value)
    assert said in line
    assert "hidden" not in line and SECRET not in line


def test_those_who_are_told_by_their_ids() -> None:
    assert target_ids(settings_of()) == []
    told = settings_of(
        CPO_WEBHOOKS=f"{HOOK} {SECRET}",
        CPO_SMTP_URL="smtp://mail.example.com",
        CPO_MAIL_FROM="cpo@example.com",
        CPO_MAIL_TO="ops@example.com",
    )
    assert [id_.split()[0] for id_ in target_ids(told)] == ["webhook", "mail"]

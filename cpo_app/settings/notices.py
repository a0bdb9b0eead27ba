"""Who is told of trouble."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.notice_settings import parse_addresses, parse_smtp_url, parse_webhooks
from cpo_app.setting_fields import Reader, setting


class NoticeSettings(BaseSettings):
    """Notices.

    Who is told of trouble: [operations.md](operations.md#being-told).
    """

    read_by: ClassVar[Reader] = "serve"

    CPO_WEBHOOKS: str = setting(
        "",
        "`https://host/path SECRET`, several parted by commas, or a JSON list of `{url, "
        "secret}`; a secret has 24 characters or more (`openssl rand -hex 32`)",
        secret=True,
    )
    CPO_WEBHOOKS_PRIVATE: bool = setting(
        False,
        "webhooks may be on private addresses and plain http; metadata services and the like never",
    )
    CPO_SMTP_URL: str = setting(
        "",
        "the mail server: `smtp://user:password@host:587` (STARTTLS) or "
        "`smtps://user:password@host:465` (TLS); what is special in user and password is "
        "percent-encoded",
        secret=True,
    )
    CPO_MAIL_FROM: str = setting(
        "",
        "the sender; set together with `CPO_SMTP_URL` and `CPO_MAIL_TO`",
    )
    CPO_MAIL_TO: str = setting(
        "",
        "the recipients, parted by commas",
    )

    @validator("CPO_WEBHOOKS")
    def _webhooks(cls, value: str) -> str:
        parse_webhooks(value)
        return value

    @validator("CPO_SMTP_URL")
    def _smtp_url(cls, value: str) -> str:
        parse_smtp_url(value)
        return value

    @validator("CPO_MAIL_FROM", "CPO_MAIL_TO")
    def _addresses(cls, value: str) -> str:
        parse_addresses(value)
        return value

    @validator("CPO_MAIL_TO", always=True)
    def _mail_is_whole(cls, value: str, values: dict[str, object]) -> str:
        given = (values.get("CPO_SMTP_URL"), values.get("CPO_MAIL_FROM"), value)
        if any(given) and not all(given):
            raise ValueError("CPO_SMTP_URL, CPO_MAIL_FROM and CPO_MAIL_TO are set together")
        return value

"""The settings as pages and answers may repeat them: no secret is in it."""

from cpo_app.settings.all_settings import Settings
from db_interface.json_data import JsonObject
from domain.audit.redaction import REDACTED, bare_url


def shown_settings(settings: Settings) -> JsonObject:
    """By their names. Of a secret that is a URL host and path are shown, of others that they are
    set."""
    return {
        name: _shown(name, getattr(settings, name), field.field_info.extra["secret"])
        for name, field in settings.__fields__.items()
    }


def _shown(name: str, value: object, secret: bool) -> str | int | float | bool:
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    if not secret or not text:
        return text
    return bare_url(text) if name.endswith("_URL") else REDACTED

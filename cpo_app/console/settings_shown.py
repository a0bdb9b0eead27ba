"""The settings of the process that answers, by group: value, purpose, where each comes from."""

from __future__ import annotations

from dataclasses import dataclass

from cpo_app.settings import GROUPS, Settings
from cpo_app.settings.origins import DEFAULT
from cpo_app.settings.showing import shown_settings


@dataclass(frozen=True)
class SettingRow:
    name: str
    value: str
    what: str
    origin: str


def settings_shown(
    settings: Settings, search: str, *, given: bool
) -> list[tuple[str, list[SettingRow]]]:
    """Secrets redacted. `search`: a part of a name or of what it is for; `given`: those alone that
    have not their default."""
    values = shown_settings(settings)
    wanted = search.lower()
    found = []
    for group in GROUPS:
        rows = [
            SettingRow(name, _text(values[name]), _plain(field.field_info.description), origin)
            for name, field in group.__fields__.items()
            for origin in [settings.origin(name)]
            if not (given and origin == DEFAULT)
            and wanted in f"{name} {field.field_info.description} {origin}".lower()
        ]
        if rows:
            found.append(((group.__doc__ or "").partition("\n")[0], rows))
    return found


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(markdown: str | None) -> str:
    """Without the marks and links of docs/configuration.md."""
    text = (markdown or "").replace("`", "")
    while "](" in text and (end := text.find(")", text.index("]("))) > 0:
        start = text.index("](")
        text = f"{text[:start].replace('[', '', 1)}{text[end + 1 :]}"
    return text

"""The CPO parties that this platform hosts, as CPO_PARTIES says it."""

import json
from typing import Any, NamedTuple

from cpo_app.setting_values import check_country_code, check_party_id


class Party(NamedTuple):
    """A CPO party that this platform hosts."""

    country_code: str
    party_id: str
    name: str

    @property
    def key(self) -> str:
        """Folded, as owners are kept: "nl*evc"."""
        return f"{self.country_code}*{self.party_id}".lower()


def parse_parties(text: str) -> list[Party]:
    """Parties out of CPO_PARTIES; raises ValueError that says which entry is wrong."""
    if not text.strip():
        return []
    if text.lstrip().startswith("["):
        try:
            rows: list[Any] = json.loads(text)
            parties = [
                Party(row["country_code"], row["party_id"], row.get("name") or row["party_id"])
                for row in rows
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"not a list of parties ({type(error).__name__})") from error
    else:
        parties = [_party(entry.strip()) for entry in text.split(",") if entry.strip()]
    for party in parties:
        check_country_code(party.country_code)
        check_party_id(party.party_id)
    return parties


def _party(entry: str) -> Party:
    key, _, name = entry.partition("=")
    country_code, slash, party_id = key.strip().partition("/")
    if not slash:
        raise ValueError(f"{entry!r} is not of the form CC/PID=Name")
    return Party(country_code, party_id, name.strip() or party_id)

"""The eMSPs behind the hub: who they are, whether they can be reached, and their drivers' cards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone

from db_interface.json_data import JsonObject

CONNECTED, OFFLINE, PLANNED, SUSPENDED = "CONNECTED", "OFFLINE", "PLANNED", "SUSPENDED"
STATUSES = (CONNECTED, OFFLINE, PLANNED, SUSPENDED)
DEFAULT_PARTIES = ("FR/CLI", "DE/KUN", "NL/MSP")
CARDS = 3

Party = tuple[str, str]


def party_of(text: str) -> Party:
    """ "FR/CLI" as a pair, in upper case. Raises ValueError."""
    country_code, slash, party_id = text.upper().partition("/")
    if not slash or len(country_code) != 2 or len(party_id) != 3:
        raise ValueError(f"{text} is not of the form CC/PID, as FR/CLI")
    return country_code, party_id


def now_text() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@dataclass
class HubClient:
    """One eMSP. `cards` are the uids of its tokens."""

    country_code: str
    party_id: str
    status: str = CONNECTED
    last_updated: str = field(default_factory=now_text)
    cards: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cards = self.cards or [
            f"{self.country_code}-{self.party_id}-CARD-{number}" for number in range(1, CARDS + 1)
        ]

    @property
    def party(self) -> Party:
        return self.country_code, self.party_id

    @property
    def name(self) -> str:
        return f"{self.country_code}/{self.party_id}"

    def role(self) -> JsonObject:
        """As a CredentialsRole, for platforms that list their clients."""
        return role_of("EMSP", self.party, f"eMSP {self.name}")

    def info(self) -> JsonObject:
        """As a ClientInfo (mod_hub_client_info)."""
        return {
            "party_id": self.party_id,
            "country_code": self.country_code,
            "role": "EMSP",
            "status": self.status,
            "last_updated": self.last_updated,
        }

    def token(self, uid: str) -> JsonObject:
        """One of its drivers' cards, as a Token."""
        return {
            "country_code": self.country_code,
            "party_id": self.party_id,
            "uid": uid,
            "type": "RFID",
            "contract_id": f"{self.country_code}-{self.party_id}-C{self.cards.index(uid):06}-X",
            "issuer": f"eMSP {self.name}",
            "valid": True,
            "whitelist": "ALLOWED",
            "last_updated": "2026-01-01T00:00:00Z",
        }


def role_of(role: str, party: Party, name: str) -> JsonObject:
    return {
        "role": role,
        "country_code": party[0],
        "party_id": party[1],
        "business_details": {"name": name},
    }

"""What happened to a peer, in words: of the audit log, and of exchanges that went wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from db_interface.json_data import JsonObject
from domain.audit.listing import changes_of
from domain.operators.actor import ActorKind

DID: Mapping[str, str] = {
    "peers.invite": "invited it",
    "peers.withdraw": "withdrew its invitation",
    "peers.connect": "registered with it",
    "peers.register": "registered",
    "peers.credentials": "exchanged credentials anew",
    "peers.unregister": "unregistered",
    "peers.add_access_point": "added it as an access point",
    "peers.change": "changed what is known of it",
    "peers.refresh": "had its endpoints read again",
    "peers.rotate": "had the tokens exchanged",
    "peers.pull_tokens": "had its cards fetched",
    "peers.suspend": "suspended it",
    "peers.resume": "resumed it",
    "peers.block": "blocked it",
    "peers.resync": "had everything sent to it again",
    "peers.narrow": "narrowed it to published locations",
    "peers.widen": "offered it all locations",
    "peers.require": "said which fields it requires",
    "peers.require_modules": "said which modules it has to offer",
    "peers.offer_versions": "said which versions it is offered",
    "peers.give_groups": "said which groups of locations it sees",
    "peers.ask_unknown": "said whether it is asked about unknown cards",
    "peers.quirk": "noted a quirk of it",
    "peers.approve": "approved who it says it is",
    "peers.release_party": "released a party of it",
    "peers.move_party": "moved a party",
    "peers.approve_clients": "approved clients of it",
    "peers.refuse_clients": "refused clients of it",
    "peers.clients_automatic": "said whether its new clients wait for a yes",
    "peers.remove": "parted with it",
    "terminals.pull": "had its payment terminals fetched",
    "terminals.assign": "assigned a payment terminal",
    "terminals.activate": "activated a payment terminal",
    "terminals.deactivate": "deactivated a payment terminal",
}
"""Of whoever did it: "ines suspended it"."""
_FIELDS: Mapping[str, str] = {
    "ask_unknown": "asked about unknown cards",
    "narrowed": "published locations only",
    "new_tokens": "new tokens",
    "versions_url": "versions URL",
    "version": "OCPI version",
    "waiting": "waits for a yes",
}
_MAX_LENGTH = 60


@dataclass(frozen=True)
class Event:
    """`exchange`: the id of the one that it was; None: it is in the audit log."""

    at: datetime
    what: str
    detail: str
    bad: bool
    exchange: str | None = None


def of_log(row: JsonObject) -> Event:
    """Of an entry, as audit.listing has it."""
    refused = row["result"] == "refused"
    who = "it" if row["by"]["kind"] == ActorKind.PEER.value else row["by"]["name"]
    did = DID.get(row["action"], row["action"].replace(".", ": ").replace("_", " "))
    if refused:
        what = f"not done: {who} {did}"
        return Event(row["at"], what, f"refused: {row['why']}", bad=True)
    changed = [
        f"{_field(name)}: {_short(after)}"
        for name, _, after in changes_of(row)
        if not isinstance(after, (dict, list)) or not after
    ]
    return Event(row["at"], f"{who} {did}", ", ".join(changed), bad=False)


def of_exchange(row: JsonObject) -> Event:
    """Of one that went wrong, as exchanges.listing has it."""
    who = "it asked us" if row["direction"] == "in" else "we asked it"
    answer = f"HTTP {row['status']}" if row["status"] else row["error"] or "no answer"
    ocpi = f", OCPI {row['ocpi_status']}" if row["ocpi_status"] else ""
    what = f"{who}: {row['method']} {row['module']}"
    return Event(row["at"], what, f"{answer}{ocpi}", bad=True, exchange=row["id"])


def _field(name: str) -> str:
    last = name.rpartition(".")[2]
    return _FIELDS.get(last, last.replace("_", " "))


def _short(value: object) -> str:
    if value is None or value == [] or value == {}:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:_MAX_LENGTH]

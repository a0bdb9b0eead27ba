"""A peer's state in sentences: what waits for it and when it is tried again, who it may be, how it
departs from the specification. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.json_data import JsonMapping
from domain.operator.peer_details import Waiting
from domain.operator.push_states import PushState
from domain.peers.claims import shown
from domain.peers.peer import DEFAULT_QUIRKS
from domain.peers.statuses import BLOCKED, CONNECTED, SUSPENDED
from domain.peers.terms import Terms

_ONE = {"cdrs": "CDR", "locations": "location", "sessions": "session", "tariffs": "tariff"}
_QUIRKS: Mapping[str, tuple[str, str]] = {
    "raw_token": (
        "It does not encode tokens: they go as they are, in both directions.",
        "Tokens go in Base64, as OCPI 2.2.1 has it.",
    ),
    "no_patch": (
        "It takes no PATCH: what changes is sent whole, by PUT.",
        "Small changes are sent by PATCH.",
    ),
    "page_size": (
        "Its lists have {value} objects a page at most.",
        "Its lists have pages of any size that we allow.",
    ),
    "ignore_routing": (
        "Its routing headers mean nothing (it sends one party as both): they are not looked at.",
        "Its routing headers say which parties are meant.",
    ),
}


@dataclass(frozen=True)
class QuirkWords:
    """`turn`: what `peers.quirk` is told to have it otherwise; None: a value has to be given."""

    name: str
    on: bool
    sentence: str
    turn: str | None


def quirks_in_words(quirks: JsonMapping) -> list[QuirkWords]:
    """All that there are, those that are noted first."""
    rows = []
    for name, usual in DEFAULT_QUIRKS.items():
        value = quirks.get(name, usual)
        noted = value != usual
        said = _QUIRKS[name][0 if noted else 1].format(value=value)
        number = usual is None and not noted
        rows.append(QuirkWords(name, noted, said, None if number else "off" if noted else "on"))
    return sorted(rows, key=lambda row: not row.on)


def granted_in_words(terms: Terms) -> str:
    """Who the operator has said that a peer may be."""
    if terms.names_nobody:
        return "nobody that you have named: what it says waits for your yes"
    said = [*map(shown, terms.parties)]
    said += ["whatever free party it says"] if terms.any_party else []
    roles = [*terms.roles, *(["HUB"] if terms.hub else [])]
    said = said or (["no party that you have named"] if roles else [])
    in_roles = f", as {_and(roles)}" if roles else ", in any role but HUB" if said else ""
    approved = [
        f"{shown(party)} {role}"
        for party, _, role in (one.partition(" ") for one in terms.approved)
    ]
    return "; ".join(filter(None, [f"{_and(said)}{in_roles}", _and(approved)]))


def backlog_in_words(
    status: str, push: PushState, waiting: Sequence[Waiting], now: datetime, *, counted_all: bool
) -> list[str]:
    """ "37 sessions and 2 CDRs wait, the oldest since 14:02:11 UTC.", "Next try in 40 s; the last
    answer: HTTP 503." """
    said = []
    if waiting:
        numbers = _and([_number(one) for one in waiting])
        more = "" if counted_all else ", and more"
        verb = "waits" if counted_all and sum(one.number for one in waiting) == 1 else "wait"
        oldest = min(one.since for one in waiting)
        said.append(f"{numbers}{more} {verb}, the oldest since {_at(oldest, now)}.")
    else:
        said.append("Nothing waits: it has the present state of all that it may see.")
    if status == SUSPENDED:
        said.append("It is suspended: nothing is tried until you resume it.")
    elif status == BLOCKED:
        said.append("It is blocked: nothing is pushed to it.")
    elif status != CONNECTED:
        return [f"Nothing is pushed to it while it is {status}."]
    elif push.failures:
        times = "once" if push.failures == 1 else f"{push.failures} times in a row"
        reason = f"; the last answer: {push.reason}" if push.reason else ""
        said.append(f"It has not taken what was sent, {times}{reason}.")
        said.append(_next_try(push.next_try, now))
    return said


def _next_try(at: datetime | None, now: datetime) -> str:
    if at is None or at <= now:
        return "It is being tried again now."
    seconds = int((at - now).total_seconds())
    return f"Next try in {seconds} s." if seconds < 120 else f"Next try in {seconds // 60} min."


def _number(one: Waiting) -> str:
    name = _ONE.get(one.module, one.module)
    return f"{one.number} {name}{'s' if one.number != 1 else ''}"


def _at(moment: datetime, now: datetime) -> str:
    return (
        f"{moment:%H:%M:%S} UTC" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M} UTC"
    )


def _and(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"

"""What an operator has to do something about, in a few lines: thousand alike are one.

Red is what costs money or charging until somebody acts. What is planned, what has not begun yet
and what is over is grey: it is there to be found, and calls nobody. Each line leads to where the
matter is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cpo_app.console.words import duration, number, segment
from domain.charge_points.evse_states import EvseStatus
from domain.notices.matters import Matter
from domain.notices.troubles import WORDS, Kind
from domain.operator.money import DEAD_LETTER, MoneyCounts
from domain.operator.money import Kind as MoneyKind
from domain.operator.peers import PeerRow
from domain.peers.statuses import BLOCKED, SUSPENDED

LATE_TELEMETRY = timedelta(seconds=60)
_MONEY: Mapping[str, tuple[str, str]] = {
    MoneyKind.HELD.value: ("session is held: nobody is billed", "sessions are held"),
    MoneyKind.WITHOUT_CDR.value: ("session ended without a bill", "sessions ended without a bill"),
    MoneyKind.UNBILLED.value: (
        "session has energy beside its bill",
        "sessions have energy beside their bill",
    ),
    MoneyKind.SUSPECT.value: ("session is suspect", "sessions are suspect"),
    MoneyKind.ESTIMATED.value: (
        "session is billed by an estimate",
        "sessions are billed by an estimate",
    ),
    MoneyKind.SIGNATURE.value: ("signature is wrong", "signatures are wrong"),
    DEAD_LETTER: ("message could not be taken", "messages could not be taken"),
}
_BY_THEMSELVES = (
    Kind.CERTIFICATE_ENDS,
    Kind.CERTIFICATE_OF_OTHERS,
    Kind.API_KEY_ENDS,
    Kind.DISK_LOW,
)
"""Kinds of notices that no figure of this page tells."""
_OF_SESSIONS = (
    Kind.SESSION_HELD,
    Kind.SESSION_WITHOUT_CDR,
    Kind.SESSION_UNBILLED,
    Kind.SESSION_SUSPECT,
    Kind.SESSION_ESTIMATED,
    Kind.SESSION_SIGNATURE,
)


_KAFKA = "/console/kafka"


@dataclass(frozen=True)
class Line:
    said: str
    href: str


@dataclass(frozen=True)
class Facts:
    """`statuses`: charge points by OCPI status, of which `never_seen` are UNKNOWN because they have
    not come yet. `telemetry_late`: how old telemetry is when it comes, None: nothing runs.
    `lost_results`: of commands, by peer. `cdrs_at_peers`: that have not arrived as they should."""

    statuses: Mapping[str, int]
    never_seen: int
    unaccounted: int
    peers: Sequence[PeerRow]
    lost_results: Mapping[str, int]
    telemetry_late: timedelta | None
    money: MoneyCounts
    cdrs_at_peers: Mapping[str, int]
    findings: int
    """registers that do not add up"""
    held_back: int
    open: Sequence[Matter]
    over: int
    """notices of the last day that are over"""
    events: str | None = None
    """what is wrong with the events to Kafka"""
    incomplete: int = 0
    """published EVSEs of which the law wants more known"""


@dataclass(frozen=True)
class Verdict:
    red: Sequence[Line]
    grey: Sequence[Line]


def verdict(facts: Facts) -> Verdict:
    return Verdict(
        [*_of_charge_points(facts), *_of_peers(facts), *_of_money(facts), *_of_the_house(facts)],
        _grey(facts),
    )


def _of_charge_points(facts: Facts) -> list[Line]:
    lines = []
    if facts.unaccounted:
        at = _many(facts.unaccounted, "charge point", "charge points")
        lines.append(Line(f"energy without a session at {at}", "#unaccounted"))
    silent = facts.statuses.get(EvseStatus.UNKNOWN.value, 0) - facts.never_seen
    for count, status, is_so in (
        (facts.statuses.get(EvseStatus.OUTOFORDER.value, 0), "OUTOFORDER", "out of order"),
        (silent, "UNKNOWN", "silent"),
    ):
        if count > 0:
            said = f"{_many(count, 'charge point', 'charge points')} {is_so}"
            lines.append(Line(said, f"/console/charge-points?status={status}"))
    if facts.telemetry_late is not None and facts.telemetry_late > LATE_TELEMETRY:
        late = duration(facts.telemetry_late.total_seconds())
        lines.append(Line(f"telemetry comes {late} late", "#running"))
    return lines


def _of_peers(facts: Facts) -> list[Line]:
    lines = []
    alarmed = [peer for peer in facts.peers if peer.alarms]
    if len(alarmed) == 1:
        said = f"peer {alarmed[0].name}: {alarmed[0].alarms[0]}"
        lines.append(Line(said, _peer(alarmed[0].id)))
    elif alarmed:
        lines.append(Line(f"{number(len(alarmed))} peers in trouble", "#peers"))
    lost = sum(facts.lost_results.values())
    if lost:
        said = _many(lost, "result of a command", "results of commands")
        lines.append(Line(f"{said} not delivered", "/console/commands?state=UNDELIVERED"))
    return lines


def _of_money(facts: Facts) -> list[Line]:
    lines = []
    for kind, count in facts.money.by_kind.items():
        if count:
            lines.append(Line(_many(count, *_MONEY[kind]), "/console/money"))
    if facts.findings:
        said = _many(facts.findings, "register does not add up", "registers do not add up")
        lines.append(Line(said, "/console/reconciliation"))
    wrong = sum(facts.cdrs_at_peers.values())
    if wrong:
        said = _many(wrong, "CDR has not arrived as it is", "CDRs have not arrived as they are")
        lines.append(Line(said, "/console/reconciliation"))
    return lines


def _of_the_house(facts: Facts) -> list[Line]:
    lines = [] if facts.events is None else [Line(facts.events, _KAFKA)]
    for kind in _BY_THEMSELVES:
        alike = [matter for matter in facts.open if matter["kind"] == kind.value]
        if len(alike) == 1:
            lines.append(Line(alike[0]["said"], "/console/notices"))
        elif alike:
            said = f"{number(len(alike))} {WORDS[kind].many}"
            lines.append(Line(said, "/console/notices"))
    return lines


def _grey(facts: Facts) -> list[Line]:
    lines = []
    out = facts.statuses.get(EvseStatus.INOPERATIVE.value, 0)
    if out:
        said = f"{_many(out, 'charge point', 'charge points')} out of service"
        lines.append(Line(said, "/console/charge-points?status=INOPERATIVE"))
    if facts.never_seen:
        said = _many(facts.never_seen, "charge point has", "charge points have")
        lines.append(Line(f"{said} never come", "/console/charge-points?status=UNKNOWN"))
    if facts.held_back:
        said = _many(facts.held_back, "charge point", "charge points")
        lines.append(Line(f"{said} not offered over OCPI", "/console/charge-points?held=true"))
    if facts.incomplete:
        said = _many(facts.incomplete, "published EVSE lacks", "published EVSEs lack")
        lines.append(Line(f"{said} what the law wants known (AFIR)", "/console/open-data"))
    for status in (SUSPENDED, BLOCKED):
        of = [peer for peer in facts.peers if peer.status == status]
        if of:
            href = _peer(of[0].id) if len(of) == 1 else "/console/peers"
            lines.append(Line(f"{_many(len(of), 'peer', 'peers')} {status}", href))
    recovered = [peer for peer in facts.peers if peer.recovered]
    if recovered:
        href = _peer(recovered[0].id) if len(recovered) == 1 else "/console/peers"
        said = _many(len(recovered), "peer has recovered", "peers have recovered")
        lines.append(Line(said, href))
    if facts.over:
        said = _many(facts.over, "trouble is over", "troubles are over")
        lines.append(Line(f"{said} since yesterday", "/console/notices"))
    return lines


def _peer(peer_id: str) -> str:
    return f"/console/peers/{segment(peer_id)}"


def _many(count: int, one: str, many: str) -> str:
    return f"{number(count)} {one if count == 1 else many}"


def matter_href(matter: Matter) -> str:
    """Where the matter is found."""
    kind, subject = matter["kind"], matter["subject"]
    if kind in _PAGES_OF_ONE and subject is not None:
        return f"{_PAGES_OF_ONE[kind]}/{segment(subject)}"
    return _PAGES_OF_MANY.get(kind, "/console/notices")


_PAGES_OF_ONE = {
    Kind.CHARGE_POINT_SILENT.value: "/console/charge-points",
    Kind.CHARGE_POINT_FAULTY.value: "/console/charge-points",
    Kind.PEER_BEHIND.value: "/console/peers",
    **dict.fromkeys((kind.value for kind in _OF_SESSIONS), "/console/sessions"),
}
_PAGES_OF_MANY = {
    Kind.EVENTS_BEHIND.value: _KAFKA,
    Kind.CHARGE_POINT_SILENT.value: "/console/charge-points?status=UNKNOWN",
    Kind.CHARGE_POINT_FAULTY.value: "/console/charge-points?status=OUTOFORDER",
    Kind.PEER_BEHIND.value: "/console/peers",
    Kind.CDRS_AT_PEER.value: "/console/reconciliation",
    Kind.DEAD_LETTER.value: "/console/money",
    Kind.REGISTER_FINDING.value: "/console/reconciliation",
    **dict.fromkeys((kind.value for kind in _OF_SESSIONS), "/console/money"),
}

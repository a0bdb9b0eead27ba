"""What the store tells of trouble, as the operator's pages count it: charge points, peers, money,
API keys, and the store's own disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

from db_interface.database import Database
from domain.charge_points.evse_states import EvseStatus
from domain.events.stream import KAFKA
from domain.notices import certificates
from domain.notices.troubles import Kind, Source, Trouble
from domain.operator import charge_points, money, peers, reconciliation
from domain.operator.event_states import event_state
from domain.operators import api_keys

ENDS_SOON = timedelta(days=14)
MAX_OF_A_KIND = 2000
"""Of sessions and findings; those that are known longest. What has more is one matter anyway."""
MIN_FREE_BYTES = 1_000_000_000
MIN_FREE_SHARE = 0.05

_STATUSES: Mapping[EvseStatus, tuple[Kind, str]] = {
    EvseStatus.UNKNOWN: (Kind.CHARGE_POINT_SILENT, "is silent"),
    EvseStatus.OUTOFORDER: (Kind.CHARGE_POINT_FAULTY, "is out of order"),
}
_MONEY: Mapping[str, tuple[Kind, str]] = {
    money.Kind.HELD.value: (Kind.SESSION_HELD, "is held: nobody is billed"),
    money.Kind.WITHOUT_CDR.value: (Kind.SESSION_WITHOUT_CDR, "ended without a CDR"),
    money.Kind.UNBILLED.value: (Kind.SESSION_UNBILLED, "has energy beside its bill"),
    money.Kind.SUSPECT.value: (Kind.SESSION_SUSPECT, "is suspect"),
    money.Kind.ESTIMATED.value: (Kind.SESSION_ESTIMATED, "is billed by an estimate"),
    money.Kind.SIGNATURE.value: (Kind.SESSION_SIGNATURE, "has a signature that is wrong"),
}


def sources_of(db: Database) -> list[Source]:
    """Those that need the store alone."""

    async def peers_behind() -> Sequence[Trouble]:
        return [
            Trouble(Kind.PEER_BEHIND, id_, f"peer {name}: {why}", do=f"cpo peers show {id_}")
            for id_, name, why in await peers.behind(db, db.now())
        ]

    async def money_in_trouble() -> Sequence[Trouble]:
        found = await money.entries(db, MAX_OF_A_KIND)
        return list(_of_money(found))

    async def cdrs_at_peers() -> Sequence[Trouble]:
        wrong = await reconciliation.cdrs_to_look_at(db)
        return [
            Trouble(
                Kind.CDRS_AT_PEER,
                peer_id,
                f"peer {peer_id}: CDRs are missing there, refused, different or unclear",
            )
            for peer_id, number in wrong.items()
            if number
        ]

    async def keys_ending() -> Sequence[Trouble]:
        soon = db.now() + ENDS_SOON
        return [
            Trouble(
                Kind.API_KEY_ENDS,
                key["_id"],
                f"API key {key['name']} ends on {key['expires']:%Y-%m-%d %H:%M} UTC",
            )
            for key in await api_keys.listed(db)
            if "expires" in key and key["expires"] < soon
        ]

    async def events_behind() -> Sequence[Trouble]:
        state = await event_state(db)
        said = None if state is None else state.trouble(db.now())
        return [] if said is None else [Trouble(Kind.EVENTS_BEHIND, KAFKA, said)]

    async def disk() -> Sequence[Trouble]:
        room = await db.room()
        if room is None:
            return []
        return disk_trouble("the store", *room)

    return [
        Source("charge points", _kinds(_STATUSES.values()), ChargePointTroubles(db).look),
        Source("peers", frozenset({Kind.PEER_BEHIND}), peers_behind),
        Source(
            "money",
            _kinds(_MONEY.values()) | {Kind.DEAD_LETTER, Kind.REGISTER_FINDING},
            money_in_trouble,
        ),
        Source("CDRs at peers", frozenset({Kind.CDRS_AT_PEER}), cdrs_at_peers),
        Source("API keys", frozenset({Kind.API_KEY_ENDS}), keys_ending),
        certificates.source(db),
        Source("events", frozenset({Kind.EVENTS_BEHIND}), events_behind),
        Source("the store's disk", frozenset({Kind.DISK_LOW}), disk),
    ]


def disk_trouble(whose: str, free: float, total: float) -> list[Trouble]:
    """Of a disk with so many bytes."""
    if free >= max(MIN_FREE_BYTES, total * MIN_FREE_SHARE):
        return []
    # Whole GB, and no more: what it says would change with every write.
    said = f"the disk of {whose} is nearly full: {free / 1e9:.0f} of {total / 1e9:.0f} GB are free"
    return [Trouble(Kind.DISK_LOW, whose, said)]


class ChargePointTroubles:
    """Those that were heard of once. What was read is good until one of them changes its status:
    a fleet that is silent is not read over and over."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._places: dict[str, str | None] = {}
        self._read: dict[EvseStatus, tuple[object, list[Trouble]]] = {}

    async def look(self) -> Sequence[Trouble]:
        found: list[Trouble] = []
        for status in _STATUSES:
            mark = await charge_points.mark_of(self._db, status.value)
            if status not in self._read or self._read[status][0] != mark:
                self._read[status] = (mark, await self._of(status))
            found += self._read[status][1]
        return found

    async def _of(self, status: EvseStatus) -> list[Trouble]:
        kind, is_so = _STATUSES[status]
        ids = await charge_points.heard_of_in(self._db, status.value)
        unknown = [cp_id for cp_id in ids if cp_id not in self._places]
        if unknown:
            self._places.update(await charge_points.places_of(self._db, unknown))
        found = []
        for cp_id in ids:
            place = self._places[cp_id]
            where = f" ({place})" if place else ""
            said = f"charge point {cp_id}{where} {is_so}"
            found.append(Trouble(kind, cp_id, said, place, f"cpo charge-points show {cp_id}"))
        return found


def _of_money(entries: Sequence[money.Entry]) -> Iterator[Trouble]:
    for entry in entries:
        if entry.kind in _MONEY and entry.session_id is not None:
            kind, is_so = _MONEY[entry.kind]
            why = f" ({entry.why})" if entry.why else ""
            said = f"session {entry.session_id} at {entry.cp_id} {is_so}{why}"
            yield Trouble(kind, entry.session_id, said, do=entry.do)
        elif entry.letter_id is not None:
            said = f"a message of charge point {entry.cp_id} could not be taken ({entry.why})"
            yield Trouble(Kind.DEAD_LETTER, entry.letter_id, said, do=entry.do)
        else:
            subject = f"{entry.kind.removeprefix('register: ')} {entry.session_id}"
            said = f"session {entry.session_id} at {entry.cp_id}: {entry.why}"
            yield Trouble(Kind.REGISTER_FINDING, subject, said, do=entry.do)


def _kinds(pairs: Iterable[tuple[Kind, str]]) -> frozenset[Kind]:
    return frozenset(kind for kind, _ in pairs)

"""What stands in the store: can it be opened with our key, and does anything wait for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from cpo_app.doctor.findings import Finding, fail, ok, warn
from db_interface.database import Database
from domain.charge_points import dead_letters
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.exchanges import listing
from domain.operator import charge_points, money, peers, reconciliation, sessions
from domain.peers.peer_document import PEERS
from domain.peers.statuses import BLOCKED, CONNECTED, SUSPENDED
from domain.secrets import SecretUnusable, Vault

MAX_READ = 1000


async def check_contents(db: Database, vault: Vault, now: datetime) -> AsyncIterator[Finding]:
    yield await _sealed(db, vault)
    yield await _peers(db)
    async for finding in _peers_in_trouble(db, now):
        yield finding
    yield await _held_back(db)
    yield await _without_cdr(db)
    yield await _money(db)
    yield await _dead_letters(db)
    yield await _registers(db)
    yield await _cdrs_at_peers(db)
    yield await _recorder(db)


async def _sealed(db: Database, vault: Vault) -> Finding:
    """Tokens of peers and keys of charge points, sealed by CPO_ENCRYPTION_KEY."""
    opened = 0
    tokens = await PEERS.of(db).find({}, {"their_token": 1}, limit=MAX_READ)
    keys = await CHARGE_POINTS.of(db).find({}, {"command_key": 1}, limit=MAX_READ)
    found = (
        ("peers", [row.get("their_token") for row in tokens]),
        ("charge points", [row.get("command_key") for row in keys]),
    )
    for holders, secrets in found:
        for sealed in filter(None, secrets):
            try:
                vault.open(sealed)
            except SecretUnusable:
                return fail(
                    "sealed tokens",
                    f"CPO_ENCRYPTION_KEY does not open what {holders} hold",
                    "use the previous key, or connect the peers again: their tokens are lost",
                )
            opened += 1
    return ok("sealed tokens", f"CPO_ENCRYPTION_KEY opens all {opened}")


async def _peers(db: Database) -> Finding:
    numbers = await peers.counts(db)
    said = f"{numbers[CONNECTED]} connected"
    for status in (SUSPENDED, BLOCKED):
        said += f", {numbers[status]} {status}" if numbers[status] else ""
    return ok("peers", said)


async def _peers_in_trouble(db: Database, now: datetime) -> AsyncIterator[Finding]:
    for peer in await peers.table(db, now, statuses=[CONNECTED], limit=MAX_READ):
        if peer.trouble:
            said = "; ".join(map(_plain, peer.trouble))
            do = f"look at: cpo peers show {peer.id}"
            yield warn(f"peer {peer.id}", f"{_plain(peer.name)}: {said}", do)


async def _held_back(db: Database) -> Finding:
    number = await charge_points.number_held_back(db)
    if number:
        return warn(
            "charge points",
            f"{number} registered, but not offered over OCPI",
            "the console says why, for each; their metadata has to be completed",
        )
    total = await charge_points.number_registered(db)
    return ok("charge points", f"all {total} registered are offered over OCPI")


async def _money(db: Database) -> Finding:
    found = await money.counts(db)
    if found.total:
        said = ", ".join(f"{number} {kind}" for kind, number in found.by_kind.items() if number)
        said += f"; {found.unbilled_wh / 1000:g} kWh on no CDR" if found.unbilled_wh else ""
        return warn("money", said, "each with what to do: cpo sessions trouble")
    return ok("money", "no session's bill is missing, guessed or in doubt")


async def _dead_letters(db: Database) -> Finding:
    numbers = await dead_letters.counts(db)
    if any(numbers.values()):
        said = ", ".join(f"{number} {kind}" for kind, number in numbers.items() if number)
        return warn(
            "telemetry",
            f"messages that were not taken: {said}",
            "each with why: cpo charge-points dead-letters",
        )
    return ok("telemetry", "every message was taken")


async def _without_cdr(db: Database) -> Finding:
    number = await sessions.number_without_cdr(db)
    if number:
        return warn(
            "CDRs",
            f"{number} session(s) ended without a CDR",
            "the console says why, for each; most often a tariff is not usable",
        )
    return ok("CDRs", "every session that was to be billed is")


async def _registers(db: Database) -> Finding:
    totals = [total for total in await reconciliation.register_totals(db) if total.number]
    if totals:
        said = ", ".join(f"{t.number} {t.kind} ({t.energy_wh / 1000:g} kWh)" for t in totals)
        return warn(
            "registers",
            f"they do not add up with sessions and CDRs: {said}",
            "cpo reconcile registers names them; docs/reconciliation.md says what each means",
        )
    return ok("registers", "nothing is known that does not add up")


async def _cdrs_at_peers(db: Database) -> Finding:
    wrong = await reconciliation.cdrs_to_look_at(db)
    said = ", ".join(f"{number} at {peer_id}" for peer_id, number in wrong.items() if number)
    if said:
        return warn(
            "CDRs at peers",
            f"missing, refused, different or unclear: {said}",
            "cpo reconcile cdrs says which, and what is known of each",
        )
    return ok("CDRs at peers", "nothing is known to be missing")


async def _recorder(db: Database) -> Finding:
    lost = await listing.lost_since(db, db.now() - timedelta(days=1))
    if lost:
        return warn(
            "exchanges",
            f"{lost} with peers were not recorded within a day: there were too many at once",
            "nothing is lost but their record; more workers, or exempt a busy peer "
            "(CPO_EXCHANGES_EXCEPT)",
        )
    return ok("exchanges", "all that were to be recorded within a day are")


def _plain(text: str) -> str:
    """A peer's words on one line of a terminal, without its control codes."""
    return "".join(c if c.isprintable() else " " for c in text)[:120]

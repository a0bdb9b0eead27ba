"""The store: reachable, able to keep what it is trusted with, and complete.

Writes one document of its own in a transaction, and takes it away again; nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

from cpo_app.doctor.findings import Finding, fail, ok, warn
from db_interface.database import RETRY_FOR_S, Database, StoreUnavailable
from db_interface.embedded import TRANSACTION_LIFETIME_S
from db_interface.indexes import INDEXES, missing_indexes
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.snapshot import holds_nothing_but
from domain.platform_facts import try_to_write
from domain.upgrades.schema_version import StoreRefused
from domain.upgrades.steps import STEPS
from domain.upgrades.upgrade import refuse_newer

MIN_VERSION = (5, 0)
SKEW_WARN = timedelta(seconds=1)
SKEW_FAIL = timedelta(seconds=30)
SLOW_WRITE_S = 0.25
WRITE_WITHIN_S = 15.0


async def check_store(db: Database, *, embedded: bool) -> AsyncIterator[Finding]:
    """Stops after the first finding that makes the others pointless."""
    try:
        begun = datetime.now(timezone.utc)
        hello = await db.client.admin.command("hello")
        ended = datetime.now(timezone.utc)
        await db.ping()
        version = (await db.client.admin.command("buildInfo"))["version"]
    except StoreUnavailable as error:
        yield fail("store", str(error), "start the replica set, or wait for its election")
        return
    except Exception as error:  # whatever the driver says: one line, without the address
        yield fail(
            "store",
            f"is not reached ({type(error).__name__})",
            "check CPO_MONGO_URL, the server, user and password, and the firewall",
        )
        return
    yield _version(version)
    yield _replica_set(hello, embedded)
    if hello.get("setName"):
        yield await _write(db)
        yield await _abandoned(db)
    yield _clock(hello["localTime"], begun + (ended - begun) / 2)
    yield await _schema(db)
    yield await _indexes(db)


def _version(version: str) -> Finding:
    numbers = tuple(int(part) for part in version.split(".")[:2])
    if numbers < MIN_VERSION:
        return fail("store", f"MongoDB {version} is too old", "use MongoDB 6 or later")
    return ok("store", f"MongoDB {version} answers")


def _replica_set(hello: JsonObject, embedded: bool) -> Finding:
    check, name = "replica set", hello.get("setName")
    if not name and hello.get("msg") != "isdbgrid":
        return fail(
            check,
            "the server is none: it has neither transactions nor change streams",
            "start mongod with --replSet and run rs.initiate()",
        )
    members = len(hello.get("hosts", ()))
    if members == 1 and not embedded:
        return warn(check, f"{name} has one member: no failover", "add two more members")
    return ok(check, f"{name or 'sharded cluster'}, {members or 'several'} member(s), writable")


async def _write(db: Database) -> Finding:
    """A transaction with the write concern of all our writes: majority, journaled."""
    check = "transactions"
    begun = time.monotonic()
    try:
        await asyncio.wait_for(DbInterface(db).transact(try_to_write), WRITE_WITHIN_S)
    except asyncio.TimeoutError:
        return fail(
            check,
            f"a majority did not confirm a write within {WRITE_WITHIN_S:.0f} s",
            "look at rs.status(): a majority of the members has to be up",
        )
    except Exception as error:  # the driver's own text may hold the address
        return fail(
            check,
            f"a write failed ({type(error).__name__})",
            "the user of CPO_MONGO_URL needs the role readWrite",
        )
    took_s = time.monotonic() - begun
    said = f"a write is confirmed by the majority and journaled in {took_s * 1000:.0f} ms"
    if took_s > SLOW_WRITE_S:
        return warn(check, said, "slow: look at the disks and the network between the members")
    return ok(check, said)


async def _abandoned(db: Database) -> Finding:
    """How long what a killed process left open in a transaction may hold all others up."""
    check, name = "abandoned transactions", "transactionLifetimeLimitSeconds"
    try:
        limit_s = (await db.client.admin.command({"getParameter": 1, name: 1}))[name]
    except Exception as error:  # most often: a user that may only read and write
        return ok(check, f"the store does not tell its {name} ({type(error).__name__})")
    said = f"end after {limit_s} s"
    if limit_s < RETRY_FOR_S:
        return ok(check, said)
    return warn(
        check,
        f"{said}: a killed process holds others up for longer than they try ({RETRY_FOR_S:.0f} s)",
        f"start each mongod with --setParameter {name}={TRANSACTION_LIFETIME_S}",
    )


def _clock(theirs: datetime, ours: datetime) -> Finding:
    """Leases, deadlines and tokens compare times of several hosts."""
    skew = abs(theirs.replace(tzinfo=timezone.utc) - ours)
    said = f"the store's and this host's differ by {skew.total_seconds():.2f} s"
    do = "run NTP (chrony) on both"
    if skew > SKEW_FAIL:
        return fail("clocks", said, do)
    return warn("clocks", said, do) if skew > SKEW_WARN else ok("clocks", said)


async def _schema(db: Database) -> Finding:
    try:
        version = await refuse_newer(db)
    except StoreRefused as error:
        return fail("schema", str(error), "no server starts on it before")
    if version is None and await holds_nothing_but(db, ()):
        return ok("schema", "a new store: it gets its version when a server starts")
    if version == len(STEPS):
        return ok("schema", f"version {version}, as this software has it")
    return warn(
        "schema",
        f"version {version or 0} of {len(STEPS)}",
        "it is upgraded when a server starts (cpo serve); make a backup before",
    )


async def _indexes(db: Database) -> Finding:
    missing = await missing_indexes(db)
    total = sum(map(len, INDEXES.values()))
    if missing:
        shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        return warn(
            "indexes",
            f"{len(missing)} of {total} are missing: {shown}",
            "they are made when a server starts (cpo serve)",
        )
    return ok("indexes", f"all {total} are there")

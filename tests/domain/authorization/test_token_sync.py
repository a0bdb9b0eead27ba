"""What is fetched never puts an older token in the place of a newer one."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.authorization.token_sync import keep_all, keep_if_newer
from tests.conftest import Loop
from tests.domain.authorization.test_authorization import token
from tests.drawn import drawn


def at(second: int, uid: str = "U1", **changed: Any) -> dict[str, Any]:
    return token(
        uid, last_updated=f"2025-01-01T00:00:{second:02}Z", issuer=f"as of {second}", **changed
    )


def test_created_updated_unchanged_older(db: Database, loop: Loop) -> None:
    store = DbInterface(db)
    outcomes = [loop.run(keep_if_newer(store, one)) for one in (at(5), at(5), at(4), at(6))]
    assert outcomes == ["created", "unchanged", "older", "updated"]
    assert loop.run(store.get("tokens", "de/tnm/rfid/u1")) == at(6)


def test_fractions_of_a_second_count(db: Database, loop: Loop) -> None:
    store = DbInterface(db)
    loop.run(keep_if_newer(store, token(last_updated="2025-01-01T00:00:00.0005Z")))
    outcome = loop.run(keep_if_newer(store, token(last_updated="2025-01-01T00:00:00.0004Z")))
    assert outcome == "older"


@settings(
    max_examples=drawn(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pages=st.lists(
        st.lists(st.tuples(st.sampled_from(["U1", "u1", "U2"]), st.integers(0, 9)), max_size=5),
        max_size=4,
    )
)
def test_in_whatever_order_they_come_the_newest_stays(
    db: Database, loop: Loop, pages: list[list[tuple[str, int]]]
) -> None:
    store = DbInterface(db)
    counted = 0
    for page in pages:

        async def work(tx: Tx, page: list[tuple[str, int]] = page) -> int:
            kept = await keep_all(store, [at(second, uid) for uid, second in page], tx)
            return sum(kept.values())

        counted += loop.run(DbInterface(db).transact(work))
    assert counted == sum(map(len, pages))
    for uid in ("u1", "u2"):
        seconds = [second for page in pages for name, second in page if name.lower() == uid]
        stored = loop.run(store.get("tokens", f"de/tnm/rfid/{uid}"))
        assert (stored or {}).get("issuer") == (f"as of {max(seconds)}" if seconds else None)
        loop.run(store.delete("tokens", f"de/tnm/rfid/{uid}"))

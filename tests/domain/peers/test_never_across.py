"""Whatever happens to peers and their parties, in whatever order: nobody reads, writes, is sent,
starts, stops or steers what was made for a party while another held it, unless the operator has
moved it."""

from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db_interface.database import Database
from domain.peers.terms import Terms
from tests.conftest import Loop
from tests.domain.peers.roaming_story import EVENTS, PARTIES, Event, Story
from tests.drawn import drawn

PEERS = 3
AAA, BBB = PARTIES
EMSP, HUB = ("EMSP",), ("HUB",)
ROLES = (EMSP, HUB, ("CPO",), ("EMSP", "HUB"), ("CPO", "EMSP", "HUB"))
ANYTHING = Terms(any_party=True, hub=True)
TERMS = (Terms(), Terms(parties=(AAA,)), Terms(any_party=True), ANYTHING)
EVENT = st.tuples(
    st.sampled_from(EVENTS),
    st.integers(0, PEERS - 1),
    st.sampled_from(PARTIES),
    st.sampled_from(ROLES),
)


def happening(*events: Event) -> example:
    """An order of events that was found to go wrong once, or that an attack went by."""
    return example(events=list(events), terms=[ANYTHING] * PEERS)


@settings(max_examples=drawn(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
# Whoever registers a party that another left gets nothing of before.
@happening(
    ("register", 0, AAA, EMSP),
    ("charge", 0, AAA, EMSP),
    ("write token", 0, AAA, EMSP),
    ("release", 0, AAA, EMSP),
    ("register", 1, AAA, EMSP),
)
# A hub does not speak for a party whose own platform is blocked, nor for one that has left.
@happening(
    ("register", 0, AAA, EMSP),
    ("charge", 0, AAA, EMSP),
    ("block", 0, AAA, EMSP),
    ("register", 1, BBB, HUB),
    ("tell of client", 1, AAA, HUB),
    ("register", 2, AAA, EMSP),
    ("leave", 0, AAA, EMSP),
    ("approve client", 1, AAA, HUB),
    ("write token", 1, AAA, HUB),
)
# A client that gets a connection of its own, and the hub that had it until then.
@happening(
    ("register", 1, BBB, ("EMSP", "HUB")),
    ("approve client", 1, AAA, HUB),
    ("charge", 0, AAA, EMSP),
    ("write token", 1, AAA, HUB),
    ("register", 0, AAA, EMSP),
    ("charge", 0, AAA, EMSP),
    ("write token", 1, AAA, HUB),
    ("release", 0, AAA, EMSP),
    ("register", 2, BBB, HUB),
    ("approve client", 2, AAA, HUB),
)
# All at once; then the operator moves the party, with what was made for it.
@happening(
    ("race", 0, AAA, ("CPO", "EMSP", "HUB")),
    ("charge", 0, AAA, EMSP),
    ("suspend", 0, AAA, EMSP),
    ("write token", 0, AAA, EMSP),
    ("move", 2, AAA, EMSP),
    ("resume", 0, AAA, EMSP),
    ("charge", 0, AAA, EMSP),
)
@given(
    events=st.lists(EVENT, min_size=4, max_size=14),
    terms=st.lists(st.sampled_from(TERMS), min_size=PEERS, max_size=PEERS),
)
def test_never_across(db: Database, loop: Loop, events: list[Event], terms: list[Terms]) -> None:
    async def run() -> None:
        story = await Story.begin(db, terms)
        for event in events:
            await story.happens(*event)
            await story.nobody_is_marked_or_speaks_across()
        await story.nobody_reads_or_commands_across()

    loop.run(run(), 60)

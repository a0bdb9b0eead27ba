"""Kafka: do the brokers answer, are the topics there, and do events go out? Nothing without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from cpo_app.doctor.findings import Finding, fail, ok, warn
from cpo_app.settings import Settings
from db_interface.database import Database
from domain.operator.event_states import event_state

_BROKERS, _TOPICS, _EVENTS = "Kafka brokers", "Kafka topics", "events to Kafka"
_LOOK = "cpo events status says more; nothing is lost meanwhile"


async def check_brokers(settings: Settings) -> list[Finding]:
    """Asks the brokers, and makes nothing."""
    if not settings.CPO_KAFKA_BROKERS:
        return []
    return await asyncio.to_thread(_ask, settings)


def _ask(settings: Settings) -> list[Finding]:
    if settings.CPO_KAFKA_USERNAME and not settings.CPO_KAFKA_PASSWORD:
        do = "run it where the servers run: set CPO_KAFKA_PASSWORD here"
        return [warn(_BROKERS, "cannot be asked: the servers' password is not known here", do)]
    from cpo_app.kafka.brokers import Brokers, BrokersAway  # loaded where Kafka is on

    named = settings.CPO_KAFKA_BROKERS
    try:
        brokers = Brokers(settings)
        seen = brokers.look()
    except BrokersAway as error:
        do = "check CPO_KAFKA_BROKERS, its security settings, the brokers, and the firewall"
        return [fail(_BROKERS, f"{named}: {error}", do)]
    found = [ok(_BROKERS, f"{named}: {seen.brokers} broker(s) answer")]
    for topic, why in seen.unusable.items():
        do = "let the user of CPO_KAFKA_USERNAME write and describe it"
        found.append(fail(_TOPICS, f"{topic}: {why}", do))
    if not seen.missing:
        return [*found, ok(_TOPICS, "are there")] if not seen.unusable else found
    missing = ", ".join(seen.missing)
    if not settings.CPO_KAFKA_CREATE_TOPICS:
        do = "create them, or set CPO_KAFKA_CREATE_TOPICS=true"
        return [*found, warn(_TOPICS, f"not there: {missing}", do)]
    refused = brokers.make(seen.missing, try_only=True)
    if refused:
        topic, why = next(iter(refused.items()))
        do = "create the topics, or let the user of CPO_KAFKA_USERNAME do it"
        return [*found, fail(_TOPICS, f"{topic} cannot be made: {why}", do)]
    return [*found, ok(_TOPICS, f"are made with the first events: {missing}")]


async def check_events(db: Database, settings: Settings) -> AsyncIterator[Finding]:
    """What waits in the store."""
    state = await event_state(db)
    if state is None:
        if settings.CPO_KAFKA_BROKERS:
            do = "start cpo serve with CPO_KAFKA_BROKERS: from then on changes are kept"
            yield warn(_EVENTS, "none are kept yet", do)
        return
    if not settings.CPO_KAFKA_BROKERS:
        do = "set CPO_KAFKA_BROKERS for cpo serve, or end it: cpo events off"
        yield warn(_EVENTS, "are kept, and no brokers are set here", do)
    trouble = state.trouble(db.now())
    if trouble is not None:
        yield warn(_EVENTS, trouble, _LOOK)
        return
    more = "more than " if state.backlog_is_more else ""
    waits = f"{more}{state.backlog} wait" if state.backlog else "nothing waits"
    yield ok(_EVENTS, f"are kept since {state.since:%Y-%m-%d %H:%M} UTC; {waits}")

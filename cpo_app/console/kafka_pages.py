"""The console's page of the events to Kafka: what waits, who sends, what was not taken."""

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from domain.operator.event_states import event_state


def add_kafka_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/kafka")
    async def kafka(request: Request, done: Done = None) -> Response:
        state = await event_state(db)
        return console.page(
            request,
            "kafka.html",
            state=state,
            trouble=None if state is None else state.trouble(db.now()),
            brokers_set=bool(console.house.settings.CPO_KAFKA_BROKERS),
            done=said(done),
        )

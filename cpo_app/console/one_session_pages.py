"""The console's page of one session: who, where, how it went, its price, and who knows of it."""

from __future__ import annotations

from fastapi import APIRouter, Query, Request, Response

from cpo_app.actions.action import Refused
from cpo_app.actions.readings import party_pair
from cpo_app.console.console import Console
from cpo_app.console.courses import power_chart, price_rows
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere
from domain.operator import one_cdr, one_session


def add_one_session_pages(router: APIRouter, console: Console) -> None:
    store = console.store

    @router.get("/console/sessions/{session_id}")
    async def session(request: Request, session_id: str, done: Done = None) -> Response:
        found = await one_session.one(store, session_id)
        if found is None:
            raise NotThere("There is no session of that id.")
        facts, fields = found.facts, found.fields or {}
        return console.page(
            request,
            "session.html",
            s=found,
            facts=facts,
            fields=fields,
            token=facts.get("token") or fields.get("cdr_token") or {},
            state=facts.get("status") or fields.get("status"),
            began=facts.get("started") or facts.get("created") or fields.get("start_date_time"),
            chart=power_chart(found.course, zone=console.zones.of(request)),
            rows=price_rows(found.course.rows),
            done=said(done),
        )

    @router.get("/console/cdrs/{cdr_id}")
    async def cdr(
        request: Request,
        cdr_id: str,
        party: str | None = Query(None, max_length=6),
        done: Done = None,
    ) -> Response:
        documents = await one_cdr.found(store.db, cdr_id, _party(party))
        if not documents:
            raise NotThere("There is no CDR of that id.")
        if len(documents) > 1:
            fields = [document["fields"] for document in documents]
            return console.page(request, "cdr_of_which.html", id=cdr_id, rows=fields)
        found = await one_cdr.one(store, documents[0])
        return console.page(
            request,
            "cdr.html",
            c=found,
            fields=found.fields,
            token=found.fields.get("cdr_token") or {},
            place=found.fields.get("cdr_location") or {},
            chart=power_chart(found.course, zone=console.zones.of(request)),
            rows=price_rows(found.course.rows),
            done=said(done),
        )


def _party(text: str | None) -> tuple[str, str] | None:
    try:
        return party_pair(text)
    except Refused:
        raise NotThere("A party is written like NL/EVC.") from None

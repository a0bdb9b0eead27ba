"""`cpo events`: how the events to Kafka go, what comes, and telling it once more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cpo_app.actions import events as actions
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import DataDir, settings_for
from cpo_app.cli.output import note, print_facts, print_json, print_line
from cpo_app.cli.tables import print_table
from cpo_app.cli.times import moment
from cpo_app.cli.with_backend import on_backend
from cpo_app.kafka.options import client_options, topic_of
from cpo_app.settings import Settings
from db_interface.json_data import JsonObject
from domain.events.kinds import KINDS
from domain.events.schemas import schema_of
from domain.operator.event_states import event_state

if TYPE_CHECKING:
    from cpo_app.kafka.reader import Incoming

app = typer.Typer(
    help="Events to Kafka: how they go, what comes; tell it once more.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
NO_STREAM = "no events are kept: a server with CPO_KAFKA_BROKERS begins it"
_KINDS = ", ".join(KINDS)


@app.command()
def status(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Since when events are kept, what waits, who sends, what was not taken."""

    async def work(backend: Backend) -> JsonObject | None:
        found = await event_state(backend.db)
        if found is None:
            return None
        return {**asdict(found), "trouble": found.trouble(backend.db.now())}

    found = remote.read("/events")["stream"] if remote.server() else on_backend(work, data_dir)
    if as_json:
        print_json(found)
        return
    if found is None:
        note(NO_STREAM)
        return
    put_off = found.pop("put_off")
    found["backlog"] = f"{found['backlog']}{'+' if found.pop('backlog_is_more') else ''}"
    print_facts(found)
    if put_off:
        print_table(
            ("Not taken", "Since (UTC)", "Next try", "Tries", "Why"),
            (
                (row["about"], row["since"], row["next_try"], row["attempts"], row["reason"])
                for row in put_off
            ),
            wrapped=("Why",),
        )


@app.command(help=words(actions.RESYNC))
def resync(
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="What has changed since (UTC).")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is there.")] = False,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help=f"Of this kind alone: {_KINDS}.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    start = moment(since, "--from")
    given = {
        "since": None if start is None else start.isoformat(),
        "everything": everything,
        "kinds": kind or [],
    }
    print_json(act(actions.RESYNC, given, data_dir))


@app.command(help=words(actions.OFF))
def off(yes: Yes = False, data_dir: DataDir = None) -> None:
    result = act_and_say(actions.OFF, {}, data_dir, "events", yes=yes)
    note(f"{result['dropped']} events that waited are dropped")


@app.command()
def tail(
    kinds: Annotated[
        list[str] | None, typer.Argument(metavar="[KIND]...", help=f"{_KINDS}; none: all.")
    ] = None,
    from_beginning: Annotated[
        bool,
        typer.Option("--from-beginning", help="All that the topics hold, and then what comes."),
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="The events themselves, one JSON document per line.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", min=1, help="End after so many.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Show events as the brokers of CPO_KAFKA_BROKERS have them, until Ctrl-C."""
    settings = settings_for(data_dir)
    if not settings.CPO_KAFKA_BROKERS:
        raise CliError("CPO_KAFKA_BROKERS names no brokers")
    for shown, one in enumerate(_incoming(settings, _known(kinds), from_beginning), start=1):
        print_line(one.value.decode() if raw else _line(one))
        sys.stdout.flush()
        if shown == limit:
            return


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"{_KINDS}.")],
    data_dir: DataDir = None,
) -> None:
    """The JSON Schema of a kind's events."""
    (wanted,) = _known([kind])
    print_json(schema_of(wanted, settings_for(data_dir).CPO_KAFKA_TYPE_PREFIX))


def _known(kinds: list[str] | None) -> list[str]:
    for kind in kinds or ():
        if kind not in KINDS:
            raise CliError(f"{kind!r} is none of {_KINDS}")
    return kinds or list(KINDS)


def _incoming(settings: Settings, kinds: list[str], from_beginning: bool) -> Iterator[Incoming]:
    from cpo_app.kafka.brokers import BrokersAway  # loaded where events are read
    from cpo_app.kafka.reader import EventReader

    topics = [topic_of(settings, kind) for kind in kinds]
    options = client_options(settings, "cpo-events-tail")
    try:
        reader = EventReader(options, topics, from_beginning=from_beginning)
        with closing(reader):
            while True:
                yield from reader.read()
    except BrokersAway as error:
        raise CliError(f"{settings.CPO_KAFKA_BROKERS}: {error}") from None


def _line(one: Incoming) -> str:
    """When, what, whose; and its state in short."""
    event = orjson.loads(one.value)
    data = event["data"]
    state = data.get("status") or ""
    return f"{event['time']:<24}  {event['type']:<32}  {event['subject']}  {state}".rstrip()

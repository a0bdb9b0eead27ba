"""`cpo peers`: invite, connect and look after the eMSPs and hubs that we talk to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cpo_app.actions import peer_offer, peer_parties, peer_registration, peer_service
from cpo_app.actions.action import Action, P
from cpo_app.actions.peer_facts import facts
from cpo_app.backend import Backend
from cpo_app.cli import remote
from cpo_app.cli.acting import act, act_and_say, words
from cpo_app.cli.agreement import Yes
from cpo_app.cli.errors import CliError
from cpo_app.cli.location_groups import groups_of_peer
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_facts, print_json, print_line
from cpo_app.cli.peer_clients import clients
from cpo_app.cli.peer_rules import RequiredModules, offer_versions, require_modules_of
from cpo_app.cli.secret_input import secret
from cpo_app.cli.tables import print_table
from cpo_app.cli.with_backend import on_backend
from db_interface.json_data import JsonObject
from domain.objects.location_fields import FIELDS, PROFILES
from domain.operator import not_offered
from domain.operator.push_states import push_states
from domain.outbox import due_marks
from domain.outbox.deliveries import delivered_cdrs
from domain.outbox.marks import PUSHED
from domain.peers.peer import DEFAULT_QUIRKS, Peer
from domain.peers.peer_listing import newest_peers

app = typer.Typer(help="Peers: eMSPs and hubs that are connected over OCPI.", no_args_is_help=True)
app.command(
    "clients",
    help=f"The clients of a hub. {words(peer_parties.APPROVE_CLIENTS)} "
    f"{words(peer_parties.REFUSE_CLIENTS)} {words(peer_parties.CLIENTS_AUTOMATIC)}",
)(clients)
app.command("groups", help=words(peer_offer.GIVE_GROUPS))(groups_of_peer)
app.command("require-modules", help=words(peer_offer.REQUIRE_MODULES))(require_modules_of)
app.command("offer-versions", help=words(peer_offer.OFFER_VERSIONS))(offer_versions)

MAX_HELD_BACK = 10

PeerId = Annotated[str, typer.Argument(metavar="ID", help="As `cpo peers list` shows it.")]
Parties = Annotated[
    list[str] | None,
    typer.Option("--party", metavar="CC/PID", help="A party that it may be; may be repeated."),
]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="A role that it may have (EMSP, ...); without it all but HUB."),
]
Hub = Annotated[bool, typer.Option("--hub", help="It may be a HUB.")]
AnyParty = Annotated[
    bool, typer.Option("--any-party", help="It may be whatever free party it says it is.")
]
OneParty = Annotated[str, typer.Argument(metavar="CC/PID")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
RawToken = Annotated[
    bool, typer.Option("--raw-token", help="The peer does not Base64-encode tokens (a quirk).")
]


@app.command(help=words(peer_registration.INVITE))
def invite(
    name: Annotated[str, typer.Option(help="What to call the peer.")],
    raw_token: RawToken = False,
    party: Parties = None,
    role: Roles = None,
    hub: Hub = False,
    any_party: AnyParty = False,
    require_module: RequiredModules = None,
    only_token: Annotated[
        bool, typer.Option("--only-token", help="Print the token alone, for scripts.")
    ] = False,
    as_letter: Annotated[
        bool, typer.Option("--letter", help="Print a letter with all that its engineer needs.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    given = {
        "name": name,
        "modules": require_module or [],
        **_granted(party, role, hub, any_party, raw_token),
    }
    invitation = act(peer_registration.INVITE, given, data_dir)
    for sentence in invitation.pop("notes"):
        note(sentence)
    letter = invitation.pop("letter")
    if only_token:
        print_line(invitation["token"])
    elif as_letter:
        print_line(letter)
    else:
        print_json(invitation)


@app.command(help=words(peer_registration.CONNECT))
def connect(
    versions_url: Annotated[str, typer.Option(help="The peer's versions URL.")],
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_PEER_TOKEN",
            help="The token A that the peer gave us; - reads it from standard input.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the peer.")] = None,
    raw_token: RawToken = False,
    party: Parties = None,
    role: Roles = None,
    hub: Hub = False,
    any_party: AnyParty = False,
    require_module: RequiredModules = None,
    data_dir: DataDir = None,
) -> None:
    given = {
        "versions_url": versions_url,
        "token": secret(token, "--token", "Token A", variable="CPO_PEER_TOKEN"),
        "name": name,
        "modules": require_module or [],
        **_granted(party, role, hub, any_party, raw_token),
    }
    connected = act(peer_registration.CONNECT, given, data_dir)
    for sentence in connected.pop("notes"):
        note(sentence)
    print_json(connected)


@app.command("add-access-point", help=words(peer_registration.ADD_ACCESS_POINT))
def add_access_point(
    name: Annotated[str, typer.Option(help="What to call it.")],
    party: Annotated[str, typer.Option(metavar="CC/PID", help="Its party, as NL/NDW.")],
    locations_url: Annotated[str, typer.Option(help="Where it takes locations.")],
    tariffs_url: Annotated[str | None, typer.Option(help="Where it takes tariffs.")] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="CPO_PEER_TOKEN",
            help="The token that it gave us; - reads it from standard input.",
        ),
    ] = None,
    raw_token: RawToken = False,
    data_dir: DataDir = None,
) -> None:
    given = {
        "name": name,
        "party": party,
        "locations_url": locations_url,
        "tariffs_url": tariffs_url,
        "token": secret(token, "--token", "Its token", variable="CPO_PEER_TOKEN"),
        "raw_token": raw_token,
    }
    print_json(act(peer_registration.ADD_ACCESS_POINT, given, data_dir))


@app.command(help=words(peer_registration.APPROVE))
def approve(peer_id: PeerId, data_dir: DataDir = None) -> None:
    number = act(peer_registration.APPROVE, {"peer_id": peer_id}, data_dir)["approved"]
    note(f"{peer_id}: {peer_registration.APPROVE.said()} ({number} roles)")


@app.command("release-party", help=words(peer_parties.RELEASE_PARTY))
def release_party(party: OneParty, yes: Yes = False, data_dir: DataDir = None) -> None:
    done = act(peer_parties.RELEASE_PARTY, {"party": party}, data_dir, yes=yes)
    note(f"{done['party']}: {peer_parties.RELEASE_PARTY.said()} {done['held_by']} held it")


@app.command("move-party", help=words(peer_parties.MOVE_PARTY))
def move_party(
    party: OneParty,
    to: Annotated[str, typer.Option(help="The peer that is to be the party.")],
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    act_and_say(peer_parties.MOVE_PARTY, {"party": party, "peer_id": to}, data_dir, party, yes=yes)


@app.command("list")
def list_peers(
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="At most so many, the newest first.")
    ] = 100,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Peers, the newest first."""

    async def work(backend: Backend) -> list[JsonObject]:
        found, _ = await newest_peers(backend.db, limit=limit)
        return [facts(peer) for peer in found]

    if remote.server() is not None:
        rows = remote.rows("/peers", limit)
    else:
        rows = on_backend(work, data_dir)
    if as_json:
        print_json(rows)
        return
    print_table(
        ("ID", "Name", "Status", "Parties", "Last seen", "Last error"),
        (
            (
                row["peer_id"],
                row["name"],
                row["status"],
                " ".join(row["parties"]),
                row["last_seen"],
                (row["last_error"] or {}).get("text"),
            )
            for row in rows
        ),
        spared=("Last seen", "Parties"),
        wrapped=("Last error",),
    )
    if len(rows) == limit:
        note(f"the newest {limit}; --limit shows more")


@app.command()
def show(peer_id: PeerId, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Everything that is known of a peer; no token is ever shown."""

    async def work(backend: Backend) -> JsonObject:
        peer = await backend.peers.get(peer_id)
        withheld = await not_offered.from_peer(backend.db, peer_id, MAX_HELD_BACK)
        return {
            **facts(peer),
            "not_offered": asdict(withheld),
            "push": await _push_facts(backend, peer),
        }

    found = on_backend(work, data_dir)
    if as_json:
        print_json(found)
    else:
        pushed, withheld = found.pop("push"), found.pop("not_offered")
        held_back = pushed.pop("held_back")
        print_facts({**found, **{f"push {name}": value for name, value in pushed.items()}})
        if held_back:
            print_table(
                ("Module", "Object", "Attempts", "Next try", "Reason"),
                (
                    (row["module"], row["object"], row["attempts"], row["next_try"], row["reason"])
                    for row in held_back
                ),
                title="Held back",
            )
        if withheld["first"]:
            print_table(
                ("Location", "Because"),
                ((row["location"], row["because"]) for row in withheld["first"]),
                title=f"Not offered to it ({withheld['number']})",
            )


@app.command(help=words(peer_registration.REMOVE))
def remove(peer_id: PeerId, yes: Yes = False, data_dir: DataDir = None) -> None:
    act_and_say(peer_registration.REMOVE, {"peer_id": peer_id}, data_dir, peer_id, yes=yes)


@app.command(help=words(peer_registration.WITHDRAW))
def withdraw(peer_id: PeerId, yes: Yes = False, data_dir: DataDir = None) -> None:
    act_and_say(peer_registration.WITHDRAW, {"peer_id": peer_id}, data_dir, peer_id, yes=yes)


@app.command(help=words(peer_registration.REFRESH))
def refresh(peer_id: PeerId, data_dir: DataDir = None) -> None:
    print_json(act(peer_registration.REFRESH, {"peer_id": peer_id}, data_dir))


@app.command(help=words(peer_registration.ROTATE))
def rotate(peer_id: PeerId, data_dir: DataDir = None) -> None:
    print_json(act(peer_registration.ROTATE, {"peer_id": peer_id}, data_dir))


@app.command("pull-tokens", help=words(peer_registration.PULL_TOKENS))
def pull_tokens(
    peer_id: PeerId,
    full: Annotated[
        bool, typer.Option("--full", help="All of them, not only what changed.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    report = act(peer_registration.PULL_TOKENS, {"peer_id": peer_id, "full": full}, data_dir)
    print_json(report)
    if not report["complete"]:
        raise CliError(f"broke off: {report['problem']}")


@app.command(help=words(peer_service.RESYNC))
def resync(
    peer_id: PeerId,
    module: Annotated[
        str | None, typer.Option(help=f"Only one of {', '.join(PUSHED)}; by default all.")
    ] = None,
    object_id: Annotated[
        str | None,
        typer.Option("--object", metavar="ID", help="Only this one, of that --module."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    given = {"peer_id": peer_id, "module": module, "object_id": object_id}
    print_json(act(peer_service.RESYNC, given, data_dir))


@app.command(help=words(peer_service.SUSPEND))
def suspend(peer_id: PeerId, data_dir: DataDir = None) -> None:
    act_and_say(peer_service.SUSPEND, {"peer_id": peer_id}, data_dir, peer_id)


@app.command(help=words(peer_service.RESUME))
def resume(peer_id: PeerId, data_dir: DataDir = None) -> None:
    act_and_say(peer_service.RESUME, {"peer_id": peer_id}, data_dir, peer_id)


@app.command(help=words(peer_service.BLOCK))
def block(peer_id: PeerId, yes: Yes = False, data_dir: DataDir = None) -> None:
    act_and_say(peer_service.BLOCK, {"peer_id": peer_id}, data_dir, peer_id, yes=yes)


@app.command(help=words(peer_offer.NARROW))
def narrow(peer_id: PeerId, data_dir: DataDir = None) -> None:
    _marking(peer_offer.NARROW, {"peer_id": peer_id}, data_dir)


@app.command(help=words(peer_offer.WIDEN))
def widen(peer_id: PeerId, data_dir: DataDir = None) -> None:
    _marking(peer_offer.WIDEN, {"peer_id": peer_id}, data_dir)


@app.command(help=words(peer_offer.REQUIRE))
def require(
    peer_id: PeerId,
    fields: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD]...", help=", ".join(FIELDS))
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help=f"All that such a platform asks for: {', '.join(PROFILES)}.")
    ] = None,
    nothing: Annotated[
        bool, typer.Option("--none", help="Nothing but what the specification requires.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    if nothing is bool(fields or profile):
        raise CliError("name fields or a --profile, or --none")
    given = {"peer_id": peer_id, "fields": fields or [], "profile": profile}
    _marking(peer_offer.REQUIRE, given, data_dir)


@app.command("ask-unknown", help=words(peer_offer.ASK_UNKNOWN))
def ask_unknown(
    peer_id: PeerId,
    value: Annotated[str, typer.Argument(metavar="on|off")],
    data_dir: DataDir = None,
) -> None:
    if value not in ("on", "off"):
        raise CliError("on or off")
    given = {"peer_id": peer_id, "on": value == "on"}
    act_and_say(peer_offer.ASK_UNKNOWN, given, data_dir, peer_id)


@app.command(help=words(peer_offer.QUIRK))
def quirk(
    peer_id: PeerId,
    name: Annotated[str, typer.Argument(help=", ".join(DEFAULT_QUIRKS))],
    value: Annotated[str, typer.Argument(help="on, off, or a number for page_size")],
    data_dir: DataDir = None,
) -> None:
    given = {"peer_id": peer_id, "name": name, "value": value}
    print_json(act(peer_offer.QUIRK, given, data_dir))


async def _push_facts(backend: Backend, peer: Peer) -> JsonObject:
    """How the push to the peer stands: how far behind it is, since when, and why."""
    ((_, push),) = await push_states(backend.db, {"_id": peer.peer_id}, ("status",), limit=1)
    held_back = await due_marks.held_back(backend.db, peer.peer_id, MAX_HELD_BACK)
    return {
        "state": push.said(peer.status),
        "backlog": push.backlog,
        "oldest": push.oldest,
        "failures": push.failures,
        "reason": push.reason,
        "next_try": push.next_try,
        "last_delivered": push.last_delivered,
        "latency_ms": push.latency_ms,
        "cdrs_delivered": await delivered_cdrs(backend.db, peer.peer_id),
        "held_back": [asdict(held) for held in held_back],
    }


def _marking(action: Action[P], given: Mapping[str, object], data_dir: Path | None) -> None:
    """Do it, and say how many objects are sent or taken away by it."""
    done = act(action, given, data_dir)
    note(f"{done['peer_id']}: {action.said()} ({done['marked']} objects)")


def _granted(
    party: list[str] | None, role: list[str] | None, hub: bool, any_party: bool, raw_token: bool
) -> JsonObject:
    """Who a peer may be, as actions are told."""
    return {
        "parties": party or [],
        "roles": role or [],
        "hub": hub,
        "any_party": any_party,
        "raw_token": raw_token,
    }

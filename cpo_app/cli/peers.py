"""`cpo peers`: invite, connect and look after the eMSPs and hubs that we talk to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cpo_app.backend import Backend
from cpo_app.cli.errors import CliError
from cpo_app.cli.location_groups import groups_of_peer
from cpo_app.cli.options import DataDir
from cpo_app.cli.output import note, print_facts, print_json, print_line, print_table
from cpo_app.cli.peer_clients import clients
from cpo_app.cli.peer_rules import RequiredModules, modules_named, require_modules_of
from cpo_app.cli.with_backend import on_backend
from cpo_app.ocpi.peer_services.token_pull import TokenPull
from cpo_app.ocpi.peer_services.unfinished_calls import UnfinishedCalls
from db_interface.json_data import JsonObject
from domain.authorization.token_pulls import PullUnderWay
from domain.objects.location_fields import FIELDS, PROFILES
from domain.operator import not_offered
from domain.operator.push_states import push_states
from domain.outbox import due_marks
from domain.outbox.deliveries import delivered_cdrs
from domain.outbox.marks import PUSHED
from domain.peers import claims, parties, required_modules, requirements, switches
from domain.peers.peers import DEFAULT_QUIRKS, Peer
from domain.peers.terms import BadTerms, Terms, party_in, terms_of_words

app = typer.Typer(help="Peers: eMSPs and hubs that are connected over OCPI.", no_args_is_help=True)
app.command("clients")(clients)
app.command("groups")(groups_of_peer)
app.command("require-modules")(require_modules_of)

T = TypeVar("T")

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


@app.command()
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
    data_dir: DataDir = None,
) -> None:
    """Make an invitation: a token A to hand over with the versions URL. It is shown once.

    A party or role that it does not name waits for `cpo peers approve`.
    """
    terms = _terms(party, role, hub, any_party)
    modules = modules_named(require_module)

    async def work(backend: Backend) -> dict[str, str]:
        for named in terms.parties:
            claim = await claims.of(backend.db, named)
            if claim is not None and claim["peer_id"] is not None:
                note(
                    f"{claims.shown(named)} is held by {claim['peer_id']}: release it "
                    "(cpo peers release-party), or move it to this peer (cpo peers move-party)"
                )
        peer, token = await backend.peers.invite(
            name, backend.db.now(), terms, settings={required_modules.SETTING: modules}
        )
        if raw_token:
            quirks = {**peer.quirks, "raw_token": True}
            await backend.peers.set(peer.peer_id, backend.db.now(), quirks=quirks)
        return {
            "peer_id": peer.peer_id,
            "token": token,
            "versions_url": backend.settings.versions_url,
        }

    invitation = on_backend(work, data_dir)
    if only_token:
        print_line(invitation["token"])
    else:
        print_json(invitation)


@app.command()
def connect(
    versions_url: Annotated[str, typer.Option(help="The peer's versions URL.")],
    token: Annotated[str, typer.Option(help="The token A that the peer gave us.")],
    name: Annotated[str | None, typer.Option(help="What to call the peer.")] = None,
    raw_token: RawToken = False,
    party: Parties = None,
    role: Roles = None,
    hub: Hub = False,
    any_party: AnyParty = False,
    require_module: RequiredModules = None,
    data_dir: DataDir = None,
) -> None:
    """Register with a platform that invited us.

    A party or role of it that is not named here waits for `cpo peers approve`.
    """
    terms = _terms(party, role, hub, any_party)
    modules = modules_named(require_module)

    async def work(backend: Backend) -> JsonObject:
        for sentence in await UnfinishedCalls(backend.peers, backend.registration).round():
            note(sentence)
        connect = backend.registration.connect
        return facts(await connect(versions_url, token, name, raw_token, terms, modules))

    print_json(on_backend(work, data_dir))


@app.command()
def approve(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Say yes to the parties and roles of a peer that wait: it may be them from now on."""
    number = _switch("approve", peer_id, data_dir)
    note(f"{peer_id}: {number} roles are approved")


@app.command("release-party")
def release_party(party: OneParty, data_dir: DataDir = None) -> None:
    """Take a party from the peer that holds it: whoever is granted it may register it then.

    The tokens, sessions and CDRs of until now stay the earlier holder's.
    """
    key = _party(party)

    async def work(backend: Backend) -> str:
        return await parties.release(backend.store, key)

    note(f"{claims.shown(key)} is free; {_do(work, data_dir)} held it")


@app.command("move-party")
def move_party(
    party: OneParty,
    to: Annotated[str, typer.Option(help="The peer that is to be the party.")],
    data_dir: DataDir = None,
) -> None:
    """Give a party to a peer, with the tokens, sessions and CDRs that were ever made for it."""
    key = _party(party)

    async def work(backend: Backend) -> None:
        await parties.move(backend.store, key, to)

    _do(work, data_dir)
    note(f"{claims.shown(key)} is {to}'s; what is there is not sent of itself: cpo peers resync")


@app.command("list")
def list_peers(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """All peers, the oldest first."""

    async def work(backend: Backend) -> list[JsonObject]:
        return [facts(peer) for peer in await backend.peers.all()]

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
    )


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


@app.command()
def remove(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Part with a peer: tell it (DELETE credentials), then forget it. Its token dies at once."""

    async def work(backend: Backend) -> bool:
        return await backend.registration.unregister(peer_id)

    told = on_backend(work, data_dir)
    note(f"removed {peer_id}, " + ("which was told" if told else "which could not be told"))


@app.command()
def withdraw(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Take back an invitation that nobody has used: its token is good for nothing at once."""

    async def work(backend: Backend) -> None:
        await switches.withdraw(backend.store, peer_id)

    _do(work, data_dir)
    note(f"the invitation of {peer_id} is withdrawn")


@app.command()
def refresh(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Read the peer's versions and endpoints again."""

    async def work(backend: Backend) -> JsonObject:
        return facts(await backend.registration.refresh(peer_id))

    print_json(on_backend(work, data_dir))


@app.command()
def rotate(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Exchange the tokens in both directions; nobody is locked out if it goes wrong."""

    async def work(backend: Backend) -> JsonObject:
        return facts(await backend.registration.rotate(peer_id))

    print_json(on_backend(work, data_dir))


@app.command("pull-tokens")
def pull_tokens(
    peer_id: PeerId,
    full: Annotated[
        bool, typer.Option("--full", help="All of them, not only what changed.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Fetch a peer's tokens now, and say what came of it."""

    async def work(backend: Backend) -> JsonObject:
        pull = TokenPull(
            backend.store,
            backend.settings,
            backend.peers,
            backend.client,
            backend.authenticator.may_speak_for,
        )
        try:
            return asdict(await pull.pull_now(peer_id, full=full))
        except PullUnderWay as error:
            raise CliError(str(error)) from error

    report = on_backend(work, data_dir)
    print_json(report)
    if not report["complete"]:
        raise CliError(f"broke off: {report['problem']}")


@app.command()
def resync(
    peer_id: PeerId,
    module: Annotated[
        str | None, typer.Option(help=f"Only one of {', '.join(PUSHED)}; by default all.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Push everything that the peer may see once more, whatever it has had already.

    CDRs that it has provably had are not sent again. With --module cdrs, those are sent whose
    arrival is unclear and cannot be looked up: ask the peer first, it must not get them twice.
    """
    modules = PUSHED if module is None else (module,)

    async def work(backend: Backend) -> int:
        return await switches.resync(backend.store, peer_id, modules)

    print_json({"peer_id": peer_id, "marked": _do(work, data_dir)})


@app.command()
def suspend(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Stop pushing to a peer; its own requests are still answered."""
    _switch("suspend", peer_id, data_dir)
    note(f"{peer_id} is suspended")


@app.command()
def resume(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Take a suspended or blocked peer back into service; it gets what it has missed."""
    _switch("resume", peer_id, data_dir)
    note(f"{peer_id} is connected")


@app.command()
def block(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Refuse a peer's requests (401) and stop pushing to it."""
    _switch("block", peer_id, data_dir)
    note(f"{peer_id} is blocked")


@app.command()
def narrow(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Show a peer published locations only; unpublished ones that it has are taken away."""
    number = _switch("narrow", peer_id, data_dir)
    note(f"{peer_id} is narrowed; {number} objects are taken away where it has them")


@app.command()
def widen(peer_id: PeerId, data_dir: DataDir = None) -> None:
    """Show a peer unpublished locations, too, and send them."""
    number = _switch("widen", peer_id, data_dir)
    note(f"{peer_id} is not narrowed; {number} objects are sent")


@app.command()
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
    """Offer a peer only locations that have these fields, beyond the specification.

    What it has of the others is taken away, and `cpo peers show` says why.
    """
    if nothing is bool(fields or profile):
        raise CliError("name fields or a --profile, or --none")
    if profile is not None and profile not in PROFILES:
        raise CliError(f"{profile} is not a profile; there are: {', '.join(PROFILES)}")
    wanted = [*(fields or ()), *PROFILES.get(profile or "", ())]

    async def work(backend: Backend) -> int:
        return await requirements.require(backend.store, peer_id, wanted)

    number = _do(work, data_dir)
    note(f"{peer_id}: {number} locations are taken away or sent")


@app.command("ask-unknown")
def ask_unknown(
    peer_id: PeerId,
    value: Annotated[str, typer.Argument(metavar="on|off")],
    data_dir: DataDir = None,
) -> None:
    """Whether a peer is asked about cards that no eMSP has told us of; by default nobody is."""
    if value not in ("on", "off"):
        raise CliError("on or off")

    async def work(backend: Backend) -> None:
        await switches.ask_unknown(backend.store, peer_id, on=value == "on")

    _do(work, data_dir)
    note(f"{peer_id} is {'' if value == 'on' else 'not '}asked about unknown cards")


@app.command()
def quirk(
    peer_id: PeerId,
    name: Annotated[str, typer.Argument(help=", ".join(DEFAULT_QUIRKS))],
    value: Annotated[str, typer.Argument(help="on, off, or a number for page_size")],
    data_dir: DataDir = None,
) -> None:
    """Note how a peer differs from the specification."""

    async def work(backend: Backend) -> JsonObject:
        await switches.set_quirk(backend.store, peer_id, name, value)
        return facts(await backend.peers.get(peer_id))

    print_json(_do(work, data_dir))


def facts(peer: Peer) -> JsonObject:
    """What may be shown of a peer."""
    return {
        "peer_id": peer.peer_id,
        "name": peer.name,
        "status": peer.status,
        "parties": [
            f"{role['country_code']}/{role['party_id']} {role['role']}" for role in peer.roles
        ],
        "waiting": [
            f"{role['country_code']}/{role['party_id']} {role['role']}" for role in peer.waiting
        ],
        "versions_url": peer.versions_url,
        "version": peer.version,
        "endpoints": [dict(row) for row in peer.endpoints],
        "quirks": dict(peer.quirks),
        "settings": dict(peer.settings),
        "created": peer.created,
        "last_seen": peer.last_seen,
        "last_error": peer.last_error,
    }


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


def _switch(action: str, peer_id: str, data_dir: Path | None) -> int:
    async def work(backend: Backend) -> int:
        return await switches.SWITCHES[action].do(backend.store, peer_id)

    return _do(work, data_dir)


def _do(work: Callable[[Backend], Awaitable[T]], data_dir: Path | None) -> T:
    try:
        return on_backend(work, data_dir)
    except (switches.NotPossible, claims.NoClaim, claims.PartyTaken) as error:
        raise CliError(str(error)) from error


def _terms(party: list[str] | None, role: list[str] | None, hub: bool, any_party: bool) -> Terms:
    try:
        return terms_of_words(party or (), role or (), hub=hub, any_party=any_party)
    except BadTerms as error:
        raise CliError(str(error)) from None


def _party(text: str) -> str:
    """NL/TNM as a folded key."""
    try:
        return party_in(text)
    except BadTerms as error:
        raise CliError(str(error)) from None

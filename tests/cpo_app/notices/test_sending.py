"""Notices on their way: signed, in order, tried again, told once; by webhook and by mail."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from fastapi import FastAPI, Request, Response

from cpo_app.notices.webhooks import signature
from cpo_app.notifying import Notifying, Targets
from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.notices import deliveries, matters, telling
from domain.notices.deliveries import DELIVERIES, LANES
from domain.notices.gathering import Sighting
from domain.notices.telling import Telling
from domain.notices.troubles import Kind
from domain.operators import api_keys
from domain.operators.actor import Role
from tests.conftest import Loop
from tests.cpo_app.registry.pki import self_signed
from tests.serving import free_port, served
from tests.settings_of import settings_of

SECRET = "a-secret-that-is-long-enough"
SILENT = Sighting(
    "charge_point_silent:CP-1",
    Kind.CHARGE_POINT_SILENT,
    "charge point CP-1 (Berlin)\r\nBcc: x@y is silent",
    "cpo charge-points show CP-1",
    subject="CP-1",
    place="Berlin",
)


class Hook:
    """A receiver of webhooks: it answers what the test has lined up, then 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.hangs: asyncio.Event | None = None
        self.app = FastAPI()

        @self.app.post("/hook")
        async def hook(request: Request) -> Response:
            self.got.append((dict(request.headers), await request.body()))
            if self.hangs is not None:
                await self.hangs.wait()
            return Response(status_code=self.answers.pop(0) if self.answers else 204)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def url(hook: Hook, loop: Loop) -> Iterator[str]:
    with served(hook.app, loop) as base:
        yield f"{base}/hook"


def webhook_settings(url: str, **more: object) -> Settings:
    return settings_of(CPO_WEBHOOKS=f"{url} {SECRET}", CPO_WEBHOOKS_PRIVATE=True, **more)


class World:
    def __init__(self, db: Database, loop: Loop, settings: Settings) -> None:
        self.db, self.loop, self.store = db, loop, DbInterface(db)
        self.targets = Targets(settings, db)
        self.tellers = [Telling(self.store, target) for target in self.targets.all]

    def happens(self) -> None:
        """It opens, and is over."""
        ids = self.targets.ids

        async def work() -> None:
            await self.store.transact(lambda tx: matters.seen(tx, SILENT, ids))
            await self.store.transact(lambda tx: matters.not_seen(tx, SILENT.id, ids))
            gone = {"gone": self.db.now().replace(year=2020)}
            await matters.MATTERS.of(self.db).update_one({"_id": SILENT.id}, {"$set": gone})
            await self.store.transact(lambda tx: matters.not_seen(tx, SILENT.id, ids))

        self.loop.run(work())

    def tell(self) -> None:
        self.loop.run(self._rounds())

    async def _rounds(self) -> None:
        await asyncio.gather(*(teller.round() for teller in self.tellers))

    def rested(self) -> None:
        """The pause of those that failed is over."""
        self.loop.run(LANES.of(self.db).update_many({}, {"$unset": {"retry_at": 1}}))

    def lane(self) -> deliveries.NoticeLane:
        ((_, lane, _),) = self.loop.run(deliveries.lanes(self.db, self.targets.ids))
        return lane

    def waiting(self) -> int:
        return self.loop.run(DELIVERIES.of(self.db).count({"waiting": True}))


def test_a_webhook_hears_both_in_order_and_can_verify_them(
    db: Database, loop: Loop, hook: Hook, url: str
) -> None:
    world = World(db, loop, webhook_settings(url))
    world.happens()
    world.tell()
    world.tell()
    assert hook.types() == ["notice.opened", "notice.over"]
    for headers, body in hook.got:
        # As docs/operations.md has it.
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
        assert abs(int(headers["webhook-timestamp"]) - db.now().timestamp()) < 60
        assert SECRET not in body.decode() + str(headers)
    data = json.loads(hook.got[0][1])["data"]
    assert (data["matter"], data["kind"]) == ("charge_point_silent:CP-1", "charge_point_silent")
    assert (data["subject"], data["place"], data["number"]) == ("CP-1", "Berlin", 1)
    assert data["sender"] == "http://127.0.0.1:8000"
    assert hook.got[0][0]["webhook-id"] != hook.got[1][0]["webhook-id"]
    assert world.waiting() == 0


def test_keys_as_the_specification_writes_them() -> None:
    # The example of the Standard Webhooks specification.
    assert (
        signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_an_error_is_tried_again_after_a_pause_with_the_same_id(
    db: Database, loop: Loop, hook: Hook, url: str
) -> None:
    world = World(db, loop, webhook_settings(url))
    hook.answers = [500, 302]
    world.happens()
    world.tell()
    world.tell()  # it rests
    assert hook.types() == ["notice.opened"]
    assert world.lane()["reason"] == "it answered HTTP 500"
    world.rested()
    world.tell()
    assert world.lane()["failures"] == 2
    world.rested()
    world.tell()
    assert hook.types() == ["notice.opened"] * 3 + ["notice.over"]
    assert len({headers["webhook-id"] for headers, _ in hook.got[:3]}) == 1
    assert world.lane()["failures"] == 0 and "reason" not in world.lane()


def test_one_that_hangs_holds_up_itself_alone(
    db: Database, loop: Loop, hook: Hook, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "WITHIN_S", 0.3)
    other = Hook()
    with served(other.app, loop) as base:
        settings = settings_of(
            CPO_WEBHOOKS=f"{url} {SECRET}, {base}/hook {SECRET}", CPO_WEBHOOKS_PRIVATE=True
        )
        world = World(db, loop, settings)
        hook.hangs = asyncio.Event()
        world.happens()
        world.tell()
        assert (hook.types(), other.types()) == (
            ["notice.opened"],
            ["notice.opened", "notice.over"],
        )
        loop.loop.call_soon_threadsafe(hook.hangs.set)
        world.rested()
        world.tell()
        assert hook.types()[1:] == ["notice.opened", "notice.over"]


def test_who_is_killed_between_write_and_send_loses_nothing(
    db: Database, loop: Loop, hook: Hook, url: str
) -> None:
    killed, follower = (World(db, loop, webhook_settings(url)) for _ in "ab")
    killed.happens()

    async def dies() -> None:
        # It holds the lane, and is gone before it has sent anything.
        assert await deliveries.claim(db, killed.targets.ids[0], "killed")

    loop.run(dies())
    follower.tell()
    assert hook.got == []
    ended = {"$set": {"until": db.now().replace(year=2020)}}
    loop.run(LANES.of(db).update_one({"owner": "killed"}, ended))
    follower.tell()
    assert hook.types() == ["notice.opened", "notice.over"]


def test_who_is_killed_between_send_and_note_sends_it_again_with_the_same_id(
    db: Database, loop: Loop, hook: Hook, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, follower = (World(db, loop, webhook_settings(url)) for _ in "ab")
    killed.happens()

    class Killed(Exception):
        pass

    async def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as before:
        before.setattr(deliveries, "taken", dies)
        with pytest.raises(Killed):
            killed.tell()
    follower.tell()
    assert hook.types() == ["notice.opened", "notice.opened", "notice.over"]
    first, again, _ = (headers["webhook-id"] for headers, _ in hook.got)
    assert first == again


def test_two_processes_tell_it_once(db: Database, loop: Loop, hook: Hook, url: str) -> None:
    first, second = (World(db, loop, webhook_settings(url)) for _ in "ab")
    first.happens()

    async def both() -> None:
        await asyncio.gather(first._rounds(), second._rounds())

    loop.run(both())
    first.tell()
    second.tell()
    assert hook.types() == ["notice.opened", "notice.over"]


def test_what_was_never_taken_is_given_up_after_a_day(
    db: Database, loop: Loop, hook: Hook, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(db, loop, webhook_settings(url))
    world.happens()
    day_ago = {"$set": {"at": db.now() - deliveries.GIVEN_UP_AFTER}}
    loop.run(DELIVERIES.of(db).update_one({"message.event": "opened"}, day_ago))
    hook.answers = [410]
    world.tell()
    assert "never took a notice, which is given up: it answered HTTP 410" in caplog.text
    world.rested()
    world.tell()
    assert hook.types() == ["notice.opened", "notice.over"]
    assert world.waiting() == 0
    assert SECRET not in caplog.text and "/hook" not in caplog.text


def test_a_private_address_is_refused_unless_the_setting_allows_it(
    db: Database, loop: Loop, hook: Hook, url: str
) -> None:
    targets = Targets(settings_of(CPO_WEBHOOKS=f"{url} {SECRET}"), db)
    ((_, why),) = loop.run(targets.tell_test())
    assert why == "the URL does not use https"
    targets = Targets(settings_of(CPO_WEBHOOKS=f"https://127.0.0.1/hook {SECRET}"), db)
    ((_, why),) = loop.run(targets.tell_test())
    assert why == "the URL's host is a loopback address"
    assert hook.got == []


class Mailbox:
    """Of a real SMTP server."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.recipients: list[list[str]] = []
        self.refusal = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusal:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


def smtp_settings(port: int) -> Settings:
    return settings_of(
        CPO_SMTP_URL=f"smtp://127.0.0.1:{port}",
        CPO_MAIL_FROM="cpo@example.com",
        CPO_MAIL_TO="ops@example.com, night@example.com",
        PROJECT_NAME="EVC",
    )


def test_mail_is_one_thread_for_all_recipients(db: Database, loop: Loop) -> None:
    mailbox = Mailbox()
    port = free_port()
    server: Any = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        world = World(db, loop, smtp_settings(port))
        world.happens()
        mailbox.refusal = "451 later"
        world.tell()
        assert world.lane()["reason"] == "the mail server answered 451"
        mailbox.refusal = ""
        world.rested()
        world.tell()
    finally:
        server.stop()
    opened, over = mailbox.mails
    assert mailbox.recipients == [["ops@example.com", "night@example.com"]] * 2
    # What a stranger wrote into it makes no header.
    assert opened["Subject"] == "[EVC] charge point CP-1 (Berlin)  Bcc: x@y is silent"
    assert over["Subject"].startswith("[EVC] over: charge point CP-1 (Berlin)")
    assert opened["References"] == over["References"]
    assert opened["Message-ID"] != over["Message-ID"] and opened["Bcc"] is None
    text = opened.get_payload()
    assert isinstance(text, str) and "cpo charge-points show CP-1" in text


def test_mail_waits_while_the_server_is_down(db: Database, loop: Loop) -> None:
    world = World(db, loop, smtp_settings(free_port()))
    world.happens()
    world.tell()
    assert world.lane()["reason"].startswith("the mail server is not reached")
    assert world.waiting() == 2


def test_a_login_and_a_recipient_that_is_refused(
    db: Database, loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    class Choosy(Mailbox):
        async def handle_RCPT(
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: object
        ) -> str:
            if address.startswith("night"):
                return "550 no such person"
            envelope.rcpt_tos.append(address)
            return "250 OK"

    def known(server: SMTP, session: Session, envelope: Envelope, how: str, who: Any) -> AuthResult:
        good = (who.login, who.password) == (b"me", b"p@ss")
        return AuthResult(success=good, handled=False)

    mailbox = Choosy()
    server: Any = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=known,
        auth_require_tls=False,
    )
    server.start()
    try:
        for password, taken in (("p%40ss", True), ("wrong", False)):
            url = f"smtp://me:{password}@127.0.0.1:{server.port}"
            settings = smtp_settings(server.port).copy(update={"CPO_SMTP_URL": url})
            ((_, why),) = loop.run(Targets(settings, db).tell_test())
            assert (why is None) is taken
    finally:
        server.stop()
    assert why == "the mail server answered 535"
    assert mailbox.recipients == [["ops@example.com"]]
    assert "mail: the server does not take night@example.com" in caplog.text


def test_no_password_goes_to_a_server_without_tls(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = Mailbox()
    server: Any = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        monkeypatch.setattr("cpo_app.notices.mail._THIS_HOST", ())
        settings = smtp_settings(server.port).copy(
            update={"CPO_SMTP_URL": f"smtp://me:hidden@127.0.0.1:{server.port}"}
        )
        ((_, why),) = loop.run(Targets(settings, db).tell_test())
    finally:
        server.stop()
    assert why == "the mail server offers no TLS: no password is sent to it"
    assert mailbox.mails == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_goes_over_tls_to_a_server_whose_certificate_is_good(
    db: Database, loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """STARTTLS and TLS from the first byte. Against a certificate that nobody vouches for nothing
    is sent: no password, no mail."""
    pair = self_signed("localhost")
    for name, text in (("crt", pair.certificate_pem), ("key", pair.key_pem)):
        (tmp_path / f"mail.{name}").write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "mail.crt", tmp_path / "mail.key")
    logins: list[tuple[bytes, bool]] = []

    def known(server: SMTP, session: Session, envelope: Envelope, how: str, who: Any) -> AuthResult:
        logins.append((who.password, session.ssl is not None or scheme == "smtps"))
        return AuthResult(success=True)

    mailbox = Mailbox()
    at: dict[str, Any] = {"hostname": "127.0.0.1", "port": free_port(), "authenticator": known}
    server: Any = (
        Controller(mailbox, **at, tls_context=context, require_starttls=True)
        if scheme == "smtp"
        else Controller(mailbox, **at, ssl_context=context, auth_require_tls=False)
    )
    monkeypatch.setattr("cpo_app.notices.mail._THIS_HOST", ())
    settings = smtp_settings(server.port).copy(
        update={"CPO_SMTP_URL": f"{scheme}://me:hidden@127.0.0.1:{server.port}"}
    )
    server.start()
    try:
        ((_, why),) = loop.run(Targets(settings, db).tell_test())
        assert why is not None and why.startswith("the mail server is not reached")
        assert (logins, mailbox.mails) == ([], [])
        # The system's CAs, by OpenSSL's own variable.
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.crt"))
        ((_, why),) = loop.run(Targets(settings, db).tell_test())
    finally:
        server.stop()
    assert why is None
    assert logins == [(b"hidden", True)]
    assert [mail["To"] for mail in mailbox.mails] == ["ops@example.com, night@example.com"]


def test_from_trouble_to_the_webhook_and_back(
    db: Database, loop: Loop, hook: Hook, url: str
) -> None:
    """The whole of it, as a server runs it: an API key that ends soon, and is removed."""
    store = DbInterface(db)
    notifying = Notifying(store, webhook_settings(url))

    async def story() -> None:
        lifetime = timedelta(days=3)
        await store.transact(lambda tx: api_keys.add(tx, "ci", Role.VIEWER, lifetime=lifetime))
        notifying.start()
        try:
            await asyncio.wait_for(heard(1), 20)
            await store.transact(lambda tx: api_keys.remove(tx, "ci"))
            await asyncio.wait_for(heard(2), 20)
        finally:
            await notifying.stop()

    async def heard(number: int) -> None:
        while len(hook.got) < number:
            await asyncio.sleep(0.02)

    loop.run(story(), timeout_s=60)
    assert hook.types() == ["notice.opened", "notice.over"]
    assert json.loads(hook.got[0][1])["data"]["said"].startswith("API key ci ends on ")


def test_with_nobody_to_tell_it_is_watched_all_the_same(db: Database, loop: Loop) -> None:
    notifying = Notifying(DbInterface(db), settings_of())

    async def watched() -> None:
        notifying.start()
        try:
            while not await deliveries.watched(db):
                await asyncio.sleep(0.02)
        finally:
            await notifying.stop()

    loop.run(watched(), timeout_s=30)

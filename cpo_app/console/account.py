"""One's own account: password and second factor. Whoever looks has signed in; the admin of the
setting has neither here."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from auth.operator_access import NotLetIn
from cpo_app.console.console import Console
from cpo_app.console.forms import FormRefused
from cpo_app.console.login import signed_in
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import route_class
from cpo_app.operator_guard import address_of
from domain.operators import operators, totp
from domain.operators.actor import ActorKind, current_actor
from domain.operators.operators import ADMIN, Operator
from domain.operators.passwords import PasswordUnfit, TooBusy, check_new

PATH = "/console/account"
DONE = {
    "password": "The password is changed. Whoever else was signed in by your name is out.",
    "totp-on": "From now on each login asks for a code. Whoever else was signed in is out.",
    "totp-off": "Logins ask for no code any more.",
}


def build_account_router(console: Console) -> APIRouter:
    """To be added before the console's other pages."""
    router = APIRouter(include_in_schema=False, route_class=route_class(console))

    @router.get(PATH)
    async def account(request: Request, done: str = "") -> Response:
        operator = await _own(console)
        secret = None if operator is None else totp.offered(console.vault, operator)
        return console.page(
            request,
            "account.html",
            operator=operator,
            offered=secret,
            uri=None if secret is None else totp.uri(secret, current_actor().name, console.title),
            done=DONE.get(done),
        )

    @router.post(f"{PATH}/password")
    async def password(request: Request) -> Response:
        fields = await console.submitted(request)
        operator = await _proven(console, request, fields.get("password", ""))
        new = fields.get("new", "")
        if new != fields.get("again", ""):
            raise FormRefused(400, "The new password was not the same twice.")
        try:
            check_new(new, operator["name"])
            kept = await console.guard.access.passwords.hashed(new)
        except PasswordUnfit as error:
            raise FormRefused(400, f"{error}.") from None
        except TooBusy:
            raise FormRefused(429, "Too many are signing in at this moment; try again.") from None
        name = operator["name"]
        await console.store.transact(lambda tx: operators.set_password(tx, name, kept))
        return await _again(console, request, "password")

    @router.post(f"{PATH}/totp")
    async def offer(request: Request) -> Response:
        fields = await console.submitted(request)
        operator = await _proven(console, request, fields.get("password", ""))
        await console.store.transact(lambda tx: totp.offer(tx, console.vault, operator["_id"]))
        return RedirectResponse(PATH, 303, headers=HEADERS)

    @router.post(f"{PATH}/totp-on")
    async def confirm(request: Request) -> Response:
        code = (await console.submitted(request)).get("code", "")
        name = current_actor().name
        if not await console.store.transact(lambda tx: totp.confirm(tx, console.vault, name, code)):
            raise FormRefused(400, "That is not the code that the app shows now.")
        return await _again(console, request, "totp-on")

    @router.post(f"{PATH}/totp-off")
    async def off(request: Request) -> Response:
        fields = await console.submitted(request)
        operator = await _proven(console, request, fields.get("password", ""))
        await console.store.transact(lambda tx: totp.switch_off(tx, operator["_id"]))
        return await _again(console, request, "totp-off")

    return router


async def _own(console: Console) -> Operator | None:
    actor = current_actor()
    if actor.kind is not ActorKind.PERSON or actor.name == ADMIN:
        return None
    return await operators.find(console.db, actor.name)


async def _proven(console: Console, request: Request, password: str) -> Operator:
    """The operator who has just given his password again: an open browser is not enough."""
    operator = await _own(console)
    if operator is None:
        raise FormRefused(409, "Only people of `cpo operators` have a password here.")
    try:
        await console.guard.access.checked(operator["name"], password, address_of(request))
    except NotLetIn as error:
        said = "Your password is wrong." if error.http_status == 401 else f"{error.detail}."
        raise FormRefused(error.http_status if error.http_status != 401 else 403, said) from None
    return operator


async def _again(console: Console, request: Request, done: str) -> Response:
    """Signed in anew: with the change all logins of that name have ended."""
    where = f"{PATH}?done={done}"
    if "authorization" in request.headers:
        return RedirectResponse(where, 303, headers=HEADERS)
    return signed_in(console, request, await console.login.renewed(current_actor().name), where)

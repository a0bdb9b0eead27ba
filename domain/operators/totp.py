"""The second factor: codes of an authenticator app (RFC 6238), each good once.

The secret is sealed in the store. It counts from the first code that the person has shown: nobody
is shut out by an app that was never set up.
"""

from __future__ import annotations

import pyotp

from db_interface.database import Database
from db_interface.transaction import Tx
from domain.operators import operators
from domain.operators.operators import OPERATORS, NoSuchOperator, Operator
from domain.secrets import Vault

STEP_S = 30
STEPS_ASIDE = 1
"""Clocks of phones are a little off."""


def uri(secret: str, name: str, issuer: str) -> str:
    """What an authenticator app takes as a QR code or a link."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


async def offer(tx: Tx, vault: Vault, name: str) -> str:
    """A new secret, which waits for its first code. Raises NoSuchOperator."""
    secret = pyotp.random_base32()
    offered = {"$set": {"totp_offered": vault.seal(secret)}}
    if not await OPERATORS.of(tx).update_one({"_id": name.lower()}, offered):
        raise NoSuchOperator(name)
    return secret


def offered(vault: Vault, operator: Operator) -> str | None:
    """The secret that waits for its first code."""
    sealed = operator.get("totp_offered")
    return None if sealed is None else vault.open(sealed)


async def confirm(tx: Tx, vault: Vault, name: str, code: str) -> bool:
    """Switch it on, if that is a code of the offered secret."""
    operator = await operators.find(tx, name)
    sealed = None if operator is None else operator.get("totp_offered")
    if operator is None or sealed is None:
        return False
    step = _step_of(vault.open(sealed), code, tx.now.timestamp())
    if step is None:
        return False
    await operators.change(tx, operator, "totp-on", totp=sealed, totp_used=step)
    await OPERATORS.of(tx).update_one({"_id": operator["_id"]}, {"$unset": {"totp_offered": ""}})
    return True


async def switch_on(tx: Tx, vault: Vault, name: str) -> str:
    """A new secret that counts at once. Raises NoSuchOperator."""
    secret = await offer(tx, vault, name)
    operator = await operators.known(tx, name)
    sealed = operator["totp_offered"]
    await operators.change(tx, operator, "totp-on", totp=sealed, totp_used=0)
    await OPERATORS.of(tx).update_one({"_id": operator["_id"]}, {"$unset": {"totp_offered": ""}})
    return secret


async def switch_off(tx: Tx, name: str) -> None:
    """Raises NoSuchOperator."""
    operator = await operators.known(tx, name)
    await operators.change(tx, operator, "totp-off")
    gone = {"totp": "", "totp_offered": "", "totp_used": ""}
    await OPERATORS.of(tx).update_one({"_id": operator["_id"]}, {"$unset": gone})


async def is_right(db: Database, vault: Vault, operator: Operator, code: str) -> bool:
    """Whether it is the operator's code of now, and was not used before."""
    sealed = operator.get("totp")
    if sealed is None:
        return False
    step = _step_of(vault.open(sealed), code, db.now().timestamp())
    if step is None:
        return False
    unused = {"_id": operator["_id"], "totp_used": {"$lt": step}}
    return await OPERATORS.of(db).update_one(unused, {"$set": {"totp_used": step}})


def _step_of(secret: str, code: str, now_s: float) -> int | None:
    """Which step the code is of, of those around now."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit()):
        return None
    codes = pyotp.TOTP(secret, interval=STEP_S)
    present = int(now_s) // STEP_S
    for step in range(present - STEPS_ASIDE, present + STEPS_ASIDE + 1):
        if pyotp.utils.strings_equal(digits, codes.generate_otp(step)):
            return step
    return None

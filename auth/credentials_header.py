"""The Authorization header of OCPI requests (OCPI 2.2.1, transport_and_format 4.1.2).

`Token <Base64 of the credentials token>`; the scheme's case is free (RFC 7235), the Base64
strict (RFC 4648 section 4). A line feed at the end of the decoded token is dropped: the OCPI
text's own example holds one. Before 2.2 the token stands there as it is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection

MAX_LENGTH = 512
_FORM_ENCODED = "Token <Base64 of the credentials token>"
_FORM_AS_IT_IS = "Token <the credentials token as it is>"


def tokens_in(header: str | None) -> list[str]:
    """The credentials tokens that a header may mean, the likeliest first; [] for none.

    The second, where there is one, is the text as it stands: some peers do not encode, and in
    OCPI 2.1.1 nobody does. Whether that is good here, the caller checks.
    """
    if not header or len(header) > MAX_LENGTH:
        return []
    scheme, _, credentials = header.strip().partition(" ")
    if scheme.lower() != "token" or not credentials or not _printable(credentials):
        return []
    decoded = _decoded(credentials)
    return [credentials] if decoded is None else [decoded, credentials]


def said_of_unknown(header: str | None, forms: Collection[bool] = (True,)) -> str:
    """What to tell whoever presents a header that lets nobody in.

    `forms`: whether the token is encoded there; both where either will do.
    """
    form = _FORM_ENCODED if True in forms else _FORM_AS_IT_IS
    if header is None:
        return f"The Authorization header is missing; it is {form}"
    meanings = len(tokens_in(header))
    if meanings == 0:
        return f"The Authorization header is not of the form {form}"
    if False not in forms and meanings == 1:
        return "The credentials token is not known: is it Base64-encoded?"
    if True not in forms and meanings > 1:
        return "The credentials token is not known: is it sent as it is, not in Base64?"
    return "The credentials token is not known"


def encoded(token: str) -> str:
    """The header value that presents `token`, as the specification wants it."""
    return "Token " + base64.b64encode(token.encode()).decode()


def _decoded(text: str) -> str | None:
    try:
        octets = base64.b64decode(text, validate=True)
        token = octets.decode()
    except (binascii.Error, ValueError):
        return None
    if base64.b64encode(octets).decode() != text:
        # Too much padding, or stray bits: several texts for one token.
        return None
    token = token.removesuffix("\n").removesuffix("\r")
    return token if token and _printable(token) else None


def _printable(text: str) -> bool:
    return all("!" <= sign <= "~" for sign in text)

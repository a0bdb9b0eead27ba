"""The `Link` header of paginated lists (RFC 8288, the part that OCPI needs: rel="next").

Pure text in, text out. It never fetches, never resolves a relative link, and never raises on
what a peer wrote: a header it cannot read has no next page.
"""

from __future__ import annotations

import re
import string

_TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
_BLANK = " \t"
_URL = re.compile(r"[!-;=?-~]+")


def parse_next(header: str | None) -> str | None:
    """The target of the first link whose `rel` holds `next`, as it is written, or None.

    Several links may stand in one header, parameters in any order, quoted or not; `rel` may
    list several relations. Blanks inside the angle brackets are dropped: a folded header, as
    the example of transport_and_format "Paginated Response" shows one, must still work.
    Links with an `anchor` speak of another resource and are passed over (RFC 8288, 3.2).
    """
    text = header or ""
    position = 0
    while True:
        position = _skip(text, position, _BLANK + ",")
        if position >= len(text) or text[position] != "<":
            return None
        end = text.find(">", position)
        if end < 0:
            return None
        target = "".join(text[position + 1 : end].split())
        parameters, position = _parameters(text, end + 1)
        relations = parameters.get("rel", "").lower().split()
        if target and "next" in relations and "anchor" not in parameters:
            return target


def format_next(url: str) -> str:
    """The header's value that names `url` as the next page.

    Raises ValueError if the URL holds what cannot stand in the header (blank, control or
    non-ASCII characters, angle brackets).
    """
    if not _URL.fullmatch(url):
        raise ValueError("not a URL that can stand in a Link header")
    return f'<{url}>; rel="next"'


def _parameters(text: str, position: int) -> tuple[dict[str, str], int]:
    """The parameters of one link (names in lower case, the first of each counts), and where
    reading stopped: at the comma before the next link, at the end, or at what is unreadable."""
    found: dict[str, str] = {}
    while True:
        position = _skip(text, position, _BLANK)
        if position >= len(text) or text[position] != ";":
            return found, position
        position = _skip(text, position + 1, _BLANK)
        start = position
        position = _skip(text, position, _TOKEN)
        name = text[start:position].lower()
        position = _skip(text, position, _BLANK)
        value = ""
        if position < len(text) and text[position] == "=":
            value, position = _value(text, _skip(text, position + 1, _BLANK))
        if name:
            found.setdefault(name, value)


def _value(text: str, position: int) -> tuple[str, int]:
    if position >= len(text) or text[position] != '"':
        start = position
        # Wider than a token: peers leave quotes away around values that need them.
        while position < len(text) and text[position] not in ' \t;,"':
            position += 1
        return text[start:position], position
    position += 1
    chars: list[str] = []
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
        chars.append(text[position])
        position += 1
    return "".join(chars), position + 1


def _skip(text: str, position: int, chars: str | frozenset[str]) -> int:
    while position < len(text) and text[position] in chars:
        position += 1
    return position

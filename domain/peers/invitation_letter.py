"""The letter that goes with an invitation: all that a peer's engineer needs to connect. Pure."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Invited:
    """`until`: when token A ends; `modules`: what the peer has to offer beyond credentials."""

    name: str
    ours: str
    our_parties: Sequence[str]
    versions_url: str
    token: str
    until: datetime | None
    versions: Sequence[str]
    docs_url: str
    raw_token: bool = False
    parties: Sequence[str] = ()
    modules: Sequence[str] = ()


def letter(to: Invited) -> str:
    """As plain text, lines of at most some 80 characters but for URLs and tokens."""
    shown = to.token if to.raw_token else base64.b64encode(to.token.encode()).decode()
    encoded = (
        "Send the token as it is."
        if to.raw_token
        else "OCPI 2.2.1 and 2.3.0 send the token in Base64, 2.1.1 as it is."
    )
    until = f"until {to.until:%Y-%m-%d %H:%M} UTC, and " if to.until else ""
    parties = (
        f"We expect you as {', '.join(to.parties)}; other parties wait for our approval."
        if to.parties
        else "Which parties you are, we confirm once you have registered."
    )
    modules = (
        f"We need of you: {', '.join(to.modules)} (else registration fails with 3003)."
        if to.modules
        else "The module credentials alone is mandatory; offer RECEIVER of locations, sessions,\n"
        "cdrs and tariffs to be sent changes at once, and SENDER of tokens for your drivers."
    )
    return f"""Subject: OCPI connection {to.ours} - {to.name}

Dear colleagues of {to.name},

{to.ours} (CPO {", ".join(to.our_parties)}) invites you to connect by OCPI {", ".join(to.versions)}.

  Versions URL          {to.versions_url}
  CREDENTIALS_TOKEN_A   {to.token}

The token is good {until}for one registration: it ends when you first use the
token C that you get for it. Please treat it as a password.

1. Look which versions there are:

   curl -H 'Authorization: Token {shown}' \\
     {to.versions_url}

   {encoded}
   The details behind each version's url name our endpoints.

2. POST your credentials to our endpoint `credentials`, with the same header: your
   versions URL, a token B for us, and your roles. Your versions URL has to be public,
   https, and answer token B while you POST: we read your endpoints then.

3. From the answer take token C: it is for all further requests.

4. Pull locations, tariffs, sessions and CDRs once; what changes afterwards we push.

{parties}
{modules}

How we behave where OCPI leaves room, status codes, paging and test tools:
{to.docs_url}

If a request is refused, the answer's status_message says why. Tell us its
X-Request-ID, and we find it in our record of exchanges.

Kind regards
{to.ours}
"""

"""What a token's whitelist and validity allow, as a table: no I/O (OCPI 2.2.1, mod_tokens 12.4.4).

`valid` = false never charges on its own. Where the whitelist type demands real time the eMSP is
asked all the same, "the state of the Token might have changed": then the token in its answer
counts, which must be valid. The same table stands in docs/authorization.md; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Allowed(str, Enum):
    """AllowedType of the specification."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    EXPIRED = "EXPIRED"
    NO_CREDIT = "NO_CREDIT"
    NOT_ALLOWED = "NOT_ALLOWED"


class AuthMethod(str, Enum):
    """How it was authorized (mod_cdrs, AuthMethod)."""

    AUTH_REQUEST = "AUTH_REQUEST"
    COMMAND = "COMMAND"
    WHITELIST = "WHITELIST"


class Ask(str, Enum):
    """Whether the eMSP is asked in real time."""

    YES = "YES"
    NO = "NO"
    BY_SETTING = "BY_SETTING"


@dataclass(frozen=True)
class Rule:
    """`unasked`: the answer where the eMSP was not asked, or did not answer in time."""

    ask: Ask
    unasked: Allowed

    def asks(self, realtime_allowed: bool) -> bool:
        """`realtime_allowed`: CENTRAL_REALTIME_ALLOWED."""
        return realtime_allowed if self.ask is Ask.BY_SETTING else self.ask is Ask.YES


RULES: dict[tuple[str, bool], Rule] = {
    ("ALWAYS", True): Rule(Ask.NO, Allowed.ALLOWED),
    ("ALWAYS", False): Rule(Ask.NO, Allowed.BLOCKED),
    ("ALLOWED", True): Rule(Ask.BY_SETTING, Allowed.ALLOWED),
    ("ALLOWED", False): Rule(Ask.BY_SETTING, Allowed.BLOCKED),
    ("ALLOWED_OFFLINE", True): Rule(Ask.YES, Allowed.ALLOWED),
    ("ALLOWED_OFFLINE", False): Rule(Ask.YES, Allowed.BLOCKED),
    ("NEVER", True): Rule(Ask.YES, Allowed.NOT_ALLOWED),
    ("NEVER", False): Rule(Ask.YES, Allowed.BLOCKED),
}


def rule_of(whitelist: str, valid: bool) -> Rule:
    return RULES[whitelist, valid]

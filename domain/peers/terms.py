"""What the operator has granted a peer: the parties and roles that it may be. Pure.

A peer declares its roles in its credentials; that alone makes it nobody. A role that the operator
has not named waits for his yes, and a peer whose roles all wait sees public objects only.
HUB is never among what "any party" or a party without roles covers: it is granted by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from db_interface.json_data import JsonMapping
from db_interface.owned_objects import party_key

HUB = "HUB"
ROLES = ("CPO", "EMSP", HUB, "NAP", "NSP", "OTHER", "SCSP")


class TermsDocument(TypedDict, total=False):
    parties: list[str]
    roles: list[str]
    hub: bool
    any_party: bool
    approved: list[str]


@dataclass(frozen=True)
class Terms:
    """The operator's word on one peer.

    `parties`: folded; with no `roles`, in every role but HUB. `approved`: single roles that he
    has said yes to afterwards, as `role_key` has them.
    """

    parties: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    hub: bool = False
    any_party: bool = False
    approved: tuple[str, ...] = ()

    @property
    def names_nobody(self) -> bool:
        """Whether the operator has said nothing of who the peer may be."""
        return not (self.parties or self.roles or self.hub or self.any_party or self.approved)

    def grant(self, role: JsonMapping) -> bool:
        """Whether a role of the peer's credentials is granted."""
        if role_key(role) in self.approved:
            return True
        if not (self.any_party or party_of(role) in self.parties):
            return False
        if role["role"] == HUB:
            return self.hub
        return not self.roles or role["role"] in self.roles

    def judged(self, roles: Sequence[JsonMapping]) -> tuple[list[JsonMapping], list[JsonMapping]]:
        """The roles that are granted, and those that wait."""
        return (
            [role for role in roles if self.grant(role)],
            [role for role in roles if not self.grant(role)],
        )

    def also(self, roles: Iterable[JsonMapping]) -> Terms:
        """With these roles, which the operator has approved."""
        return replace(self, approved=_merged(self.approved, map(role_key, roles)))

    def with_party(self, party: str) -> Terms:
        return replace(self, parties=_merged(self.parties, [party]))

    def without_party(self, party: str, roles: Iterable[JsonMapping]) -> Terms:
        """No longer this party: what "any party" covered until now (the peer's `roles`) is
        granted by name."""
        kept = [role_key(role) for role in roles if party_of(role) != party and self.grant(role)]
        approved = [one for one in self.approved if not one.startswith(f"{party} ")]
        return replace(
            self,
            any_party=False,
            parties=tuple(one for one in self.parties if one != party),
            approved=_merged(approved, kept),
        )

    @classmethod
    def of(cls, stored: TermsDocument | None) -> Terms:
        stored = stored or {}
        return cls(
            tuple(stored.get("parties", ())),
            tuple(stored.get("roles", ())),
            stored.get("hub", False),
            stored.get("any_party", False),
            tuple(stored.get("approved", ())),
        )

    def document(self) -> TermsDocument:
        return {
            "parties": list(self.parties),
            "roles": list(self.roles),
            "hub": self.hub,
            "any_party": self.any_party,
            "approved": list(self.approved),
        }


ANY_PARTY = Terms(any_party=True)


class BadTerms(ValueError):
    """Not a party or a role; the message says which."""


def terms_of_words(
    parties: Iterable[str], roles: Iterable[str], *, hub: bool, any_party: bool
) -> Terms:
    """The terms as the operator writes them: parties as NL/TNM. Raises BadTerms."""
    named = [role.upper() for role in roles]
    for role in named:
        if role not in ROLES:
            raise BadTerms(f"{role} is not a role; there are: {', '.join(ROLES)}")
    return Terms(
        parties=tuple(map(party_in, parties)),
        roles=tuple(role for role in named if role != HUB),
        hub=hub or HUB in named,
        any_party=any_party,
    )


def party_in(text: str) -> str:
    """NL/TNM as a folded key. Raises BadTerms."""
    country_code, _, party_id = text.partition("/")
    if not (len(country_code) == 2 and len(party_id) == 3 and (country_code + party_id).isalnum()):
        raise BadTerms(f"{text} is not a party: write it CC/PID, as in NL/TNM")
    return party_key(country_code, party_id)


def party_of(role: JsonMapping) -> str:
    """The folded party of a role."""
    return party_key(role["country_code"], role["party_id"])


def role_key(role: JsonMapping) -> str:
    """ "nl*tnm EMSP": a role as approvals name it."""
    return f"{party_of(role)} {role['role']}"


def _merged(first: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*first, *more}))
